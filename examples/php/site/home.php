<?php

declare(strict_types=1);

/** The page of who is signed in. */
function home(string $name): string
{
    $name = htmlspecialchars($name);
    return <<<HTML
        <h1>Hello, $name</h1>
        <form method="post" action="/logout" data-prebind-sign-out>
          <button id="logout">Sign out</button>
        </form>
        HTML;
}

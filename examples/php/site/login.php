<?php

declare(strict_types=1);

/** The page of everybody else. */
function login(): string
{
    return <<<'HTML'
        <h1>Sign in</h1>
        <form method="post" action="/login">
          <label>Name <input name="username" autocomplete="username" required></label>
          <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
          <button>Sign in</button>
        </form>
        HTML;
}

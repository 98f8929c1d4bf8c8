<?php

$user = htmlspecialchars($_SESSION['name']);

return <<<HTML
    <h1>Hello, $user</h1>
    <form method="post" action="/logout" data-prebind-sign-out>
      <button id="logout">Sign out</button>
    </form>
    HTML;

<?php

// A site of one page, whose visitors are all Alice.

declare(strict_types=1);

if ($_SERVER['DOCUMENT_URI'] === '/prebind') {
    $password = json_decode((string) getenv('PREBIND_SERVERS'), true)['prosody']['accounts']['alice'];
    Prebind\Converse::answer('alice@localhost', static fn (): array => ['password' => $password], rate_limit: null)->send();
} else {
    echo '<h1>A page</h1>';
}

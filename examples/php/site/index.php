<?php

// The whole site: a page, signing in and out, what the browser asks for a chat session, and what the chat server asks.

declare(strict_types=1);

require __DIR__ . '/people.php';
require __DIR__ . '/home.php';
require __DIR__ . '/login.php';

$path = (string) parse_url((string) text($_SERVER['REQUEST_URI']), PHP_URL_PATH);

// The chat server has no cookies.
if (str_starts_with("$path/", '/chat-login/') && getenv('SITE_SECRET') !== false) {
    asked(getenv('SITE_SECRET'));
    exit;
}

session_start(['cookie_httponly' => true, 'cookie_samesite' => 'Lax']);
$name = text($_SESSION['name'] ?? null);
// Whose name allows no JID has no chat, and the rest of the site.
$jid = fn () => $name === null ? null : Prebind\jid_from_user($name, 'localhost');

match ($path) {
    '/' => $name === null ? go('/login') : page($jid, home($name)),
    '/login' => $_SERVER['REQUEST_METHOD'] === 'POST' ? signIn() : page(fn () => null, login()),
    '/logout' => signOut(),
    '/prebind' => prebound($jid, $name),
    default => missing(),
};

/** What the browser asks for a session. */
function prebound(Closure $jid, ?string $name): void
{
    Prebind\Converse::answer($jid, fn () => proof((string) $name))->send();
}

/** What the chat server asks: who may log in with a token of the site's, and who exists. */
function asked(#[SensitiveParameter] string $secret): void
{
    Prebind\ChatLogin::answer($secret, jwt(), fn (string $user) => isset(people()[$user]))->send();
}

function signIn(): void
{
    $name = (string) text($_POST['username'] ?? null);
    $password = (string) text($_POST['password'] ?? null);
    if (!hash_equals(people()[$name]['password'] ?? random_bytes(8), $password)) {
        go('/login');
        return;
    }
    session_regenerate_id(true);
    $_SESSION['name'] = $name;
    go('/');
}

function signOut(): void
{
    if ($_SERVER['REQUEST_METHOD'] === 'POST') {
        $_SESSION = [];
        session_destroy();
    }
    go('/login');
}

/** A value from elsewhere, if it is text. */
function text(mixed $value): ?string
{
    return is_string($value) ? $value : null;
}

function missing(): void
{
    http_response_code(404);
    echo "There is no such page.\n";
}

function go(string $path): void
{
    header("Location: $path", true, 303);
}

/** A page with the chat, under the strictest policy that Converse.js works under. */
function page(Closure $jid, string $content): void
{
    $nonce = base64_encode(random_bytes(16));
    $chat = preg_match('~^https?://[^/]+~', ini_get('prebind.browser_url') ?: (string) ini_get('prebind.url'), $match) ? $match[0] : '';
    header('Content-Security-Policy: ' . implode('; ', [
        "default-src 'none'",
        // WebAssembly is for OMEMO, which encrypts from end to end.
        "script-src 'nonce-$nonce' 'wasm-unsafe-eval'",
        "connect-src 'self' $chat",
        // Converse.js positions its windows with style attributes.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "media-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]));
    $chat = Prebind\Converse::html($jid, $nonce);
    echo <<<HTML
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>prebind and PHP</title>
        $content
        $chat
        </html>
        HTML;
}

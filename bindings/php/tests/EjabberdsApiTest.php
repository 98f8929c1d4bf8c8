<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;

/** Accounts and tokens that ejabberd's HTTP API makes, see core/docs/accounts.md. */
final class EjabberdsApiTest extends TestCase
{
    private const SITE = ['jid' => 'alice@localhost', 'password' => 'wonder-1'];

    public function testTheFirstLoginMakesTheAccountWithItsName(): void
    {
        $api = Real::of('ejabberd')->described['api_url'];
        $client = Real::of('ejabberd')->client(accounts: ['url' => $api, ...self::SITE]);
        $jwt = new Prebind\Jwt('a key for tests, and only for tests', 'HS256');
        $client->terminate($client->prebind('phil@accounts.local', jwt: $jwt, nickname: 'Phil from PHP'));
        // A command that ejabberd runs for its own machine.
        $asked = json_encode(['user' => 'phil', 'host' => 'accounts.local', 'name' => 'NICKNAME']);
        $http = ['method' => 'POST', 'header' => 'Content-Type: application/json', 'content' => $asked];
        $answer = file_get_contents("$api/get_vcard", false, stream_context_create(['http' => $http]));
        self::assertStringContainsString('Phil from PHP', (string) $answer);
    }

    public function testEjabberdIssuesTheToken(): void
    {
        $issuer = ['url' => Real::of('ejabberd')->described['api_url'], ...self::SITE];
        $client = Real::of('ejabberd')->client();
        for ($login = 0; $login < 2; $login++) {
            $session = $client->prebind('bob@oauth.local', x_oauth2_issuer: $issuer);
            self::assertSame('X-OAUTH2', $session->mechanism);
            $client->terminate($session);
        }
        try {
            $client->prebind('carol@oauth.local', x_oauth2_issuer: ['password' => 'wrong'] + $issuer);
            self::fail('a wrong password');
        } catch (Prebind\ConfigException $error) {
            self::assertSame('x_oauth2_issuer', $error->field);
        }
    }
}

<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;

/** The example's site, and real chat servers that ask it whether a token is good. */
final class AskedSite
{
    private readonly string $folder;
    private readonly string $url;

    /** @var array<resource> */
    private array $processes = [];

    /** @var array<resource> */
    private array $inputs = [];

    /** @param list<string> $names the users */
    public function __construct(string $key, string $secret, array $names)
    {
        $this->folder = sys_get_temp_dir() . '/asked-' . bin2hex(random_bytes(8));
        mkdir($this->folder);
        $listening = stream_socket_server('tcp://127.0.0.1:0');
        $address = stream_socket_get_name($listening, false);
        fclose($listening);
        $this->url = "http://$address/chat-login";
        $people = array_map(fn (string $name) => ['password' => "site-of-$name"], array_combine($names, $names));
        $settings = ['SITE_KEY' => $key, 'SITE_SECRET' => $secret, 'SITE_USERS' => json_encode($people)];
        $command = [PHP_BINARY, '-d', 'extension=' . getenv('PREBIND_EXTENSION'), '-S', $address, ROOT . '/examples/php/site/index.php'];
        $this->processes[] = proc_open($command, [1 => STDERR, 2 => ['file', $this->folder . '/log', 'w']], $pipes, null, $settings + getenv());
        for ($deadline = hrtime(true) / 1e9 + 60; !($listens = @stream_socket_client("tcp://$address")); usleep(20_000)) {
            TestCase::assertLessThan($deadline, hrtime(true) / 1e9, 'the site does not start');
        }
        fclose($listens);
    }

    /** @return array<string, array<string, mixed>> the servers of a command of `servers`, which ask with this secret */
    public function servers(string $secret, string $name, string ...$options): array
    {
        $command = ['servers', $name, '--json', '--site', $this->url, ...$options];
        $process = proc_open($command, [['pipe', 'r'], ['pipe', 'w'], STDERR], $pipes, null, ['PREBIND_SITE_SECRET' => $secret] + getenv());
        $this->processes[] = $process;
        // They end with this input.
        $this->inputs[] = $pipes[0];
        return json_decode((string) fgets($pipes[1]), true, flags: JSON_THROW_ON_ERROR);
    }

    public function log(): string
    {
        return (string) file_get_contents($this->folder . '/log');
    }

    public function end(): void
    {
        foreach ($this->processes as $process) {
            proc_terminate($process);
            proc_close($process);
        }
        array_map(unlink(...), glob($this->folder . '/*'));
        rmdir($this->folder);
    }
}

/** As much of a chat client as it takes to use a session. */
final class Attached
{
    public string $heard = '';
    private int $rid;

    public function __construct(private readonly Prebind\Client $client, private readonly Prebind\Session $session, private readonly string $url)
    {
        $this->rid = $session->rid;
    }

    public function send(string $stanzas): void
    {
        $rid = $this->rid++;
        $body = "<body xmlns='http://jabber.org/protocol/httpbind' sid='{$this->session->sid}' rid='$rid'>$stanzas</body>";
        $request = ['method' => 'POST', 'header' => 'Content-Type: text/xml; charset=utf-8', 'content' => $body];
        $this->heard .= file_get_contents($this->url, false, stream_context_create(['http' => $request]));
    }

    /** Sends, and listens until the server answers a question of its own. */
    public function ask(string $stanzas): void
    {
        $id = 'after-' . $this->rid;
        $this->send("$stanzas<iq xmlns='jabber:client' type='get' id='$id'><query xmlns='jabber:iq:roster'/></iq>");
        $this->hear("/id=.$id./");
    }

    /** Listens until the server has said something that matches. */
    public function hear(string $pattern): void
    {
        for ($looks = 60; preg_match($pattern, $this->heard) !== 1; $looks--) {
            TestCase::assertGreaterThan(0, $looks, "$pattern is not in $this->heard");
            $this->send('');
        }
    }

    public function leave(): void
    {
        $this->client->terminate(sid: $this->session->sid, rid: $this->rid);
    }
}

<?php

declare(strict_types=1);

/** php-fpm, asked without a web server. */
final class Fpm
{
    private const BEGIN = 1;
    private const END = 3;
    private const PARAMS = 4;
    private const STDIN = 5;
    private const STDOUT = 6;

    private readonly string $folder;

    /** @var resource */
    private $process;

    public function __construct(int $workers, string ...$arguments)
    {
        $this->folder = sys_get_temp_dir() . '/fpm-' . bin2hex(random_bytes(8));
        mkdir($this->folder);
        file_put_contents("$this->folder/fpm.conf", <<<END
            [global]
            error_log = $this->folder/log
            daemonize = no
            process_control_timeout = 60
            [tests]
            user = root
            group = root
            listen = $this->folder/socket
            pm = static
            pm.max_children = $workers
            END);
        $command = [glob('/usr/sbin/php-fpm*')[0], '--allow-to-run-as-root', '--fpm-config', "$this->folder/fpm.conf",
            '-d', 'extension=' . getenv('PREBIND_EXTENSION'), '-d', 'log_errors=0', '-d', 'display_errors=0', ...$arguments];
        $this->process = proc_open($command, [1 => STDERR, 2 => ['file', '/dev/null', 'w']], $pipes);
        // The socket is there a moment before anybody listens.
        for ($deadline = hrtime(true) / 1e9 + 60; !($listens = @stream_socket_client("unix://$this->folder/socket")); usleep(20_000)) {
            if (hrtime(true) / 1e9 > $deadline) {
                throw new RuntimeException('php-fpm does not start');
            }
        }
        fclose($listens);
    }

    /**
     * What workers answer to pieces of PHP code, all asked at once.
     *
     * @return list<mixed> what they print, which is JSON
     */
    public function answers(string ...$codes): array
    {
        return array_map(static fn ($output) => json_decode($output, true) ?? throw new LogicException($output), $this->outputs(...$codes));
    }

    /** @return list<string> */
    public function outputs(string ...$codes): array
    {
        return array_map($this->output(...), array_map($this->ask(...), $codes));
    }

    /**
     * What a worker answers to what it was asked.
     *
     * @param resource $asked
     */
    public function output($asked): string
    {
        $output = '';
        do {
            $record = stream_get_contents($asked, 8);
            if (strlen($record) < 8) {
                throw new RuntimeException('the worker does not answer');
            }
            ['type' => $type, 'length' => $length, 'padding' => $padding] = unpack('x/Ctype/nid/nlength/Cpadding/x', $record);
            $content = $length + $padding === 0 ? '' : stream_get_contents($asked, $length + $padding);
            $output .= $type === self::STDOUT ? substr($content, 0, $length) : '';
        } while ($type !== self::END);
        // The worker waits for that.
        fclose($asked);
        return explode("\r\n\r\n", $output, 2)[1];
    }

    /** Begins to reload, as `service php8.2-fpm reload` does. */
    public function reload(): void
    {
        posix_kill(proc_get_status($this->process)['pid'], SIGUSR2);
        for ($deadline = hrtime(true) / 1e9 + 60; !str_contains(file_get_contents("$this->folder/log"), 'Reloading in progress'); usleep(20_000)) {
            if (hrtime(true) / 1e9 > $deadline) {
                throw new RuntimeException('php-fpm does not reload');
            }
        }
    }

    public function __destruct()
    {
        $this->end();
    }

    public function end(): void
    {
        if (!is_resource($this->process)) {
            return;
        }
        proc_terminate($this->process);
        proc_close($this->process);
        array_map(unlink(...), glob("$this->folder/*"));
        rmdir($this->folder);
    }

    /**
     * Asks, and does not wait for the answer.
     *
     * @return resource
     */
    public function ask(string $code)
    {
        // The same code is the same file: each is kept in memory by PHP, once it was compiled.
        $script = "$this->folder/" . sha1($code) . '.php';
        if (!file_exists($script)) {
            file_put_contents($script, "<?php $code");
        }
        $connection = stream_socket_client("unix://$this->folder/socket");
        stream_set_timeout($connection, 120);
        $parameters = '';
        foreach (['SCRIPT_FILENAME' => $script, 'REQUEST_METHOD' => 'GET'] as $name => $value) {
            $parameters .= pack('CC', strlen($name), strlen($value)) . $name . $value;
        }
        fwrite($connection, self::record(self::BEGIN, pack('nCx5', 1, 0)));
        fwrite($connection, self::record(self::PARAMS, $parameters) . self::record(self::PARAMS, '') . self::record(self::STDIN, ''));
        return $connection;
    }

    private static function record(int $type, string $content): string
    {
        return pack('CCnnCx', 1, $type, 1, strlen($content), 0) . $content;
    }
}

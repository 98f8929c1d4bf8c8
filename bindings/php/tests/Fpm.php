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
        for ($i = 0; $i < 500 && !file_exists("$this->folder/socket"); $i++) {
            usleep(20_000);
        }
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
        $connections = array_map($this->asks(...), $codes);
        return array_map(static function ($connection) {
            $output = '';
            do {
                ['type' => $type, 'length' => $length, 'padding' => $padding] = unpack('x/Ctype/nid/nlength/Cpadding/x', stream_get_contents($connection, 8));
                $content = $length + $padding === 0 ? '' : stream_get_contents($connection, $length + $padding);
                $output .= $type === self::STDOUT ? substr($content, 0, $length) : '';
            } while ($type !== self::END);
            return explode("\r\n\r\n", $output, 2)[1];
        }, $connections);
    }

    /** Somebody asks, and does not wait for the answer. */
    public function leaves(string $code): void
    {
        $connection = $this->asks($code);
        usleep(300_000);
        fclose($connection);
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

    /** @return resource */
    private function asks(string $code)
    {
        // The same code is the same file: each is kept in memory by PHP, once it was compiled.
        $script = "$this->folder/" . sha1($code) . '.php';
        if (!file_exists($script)) {
            file_put_contents($script, "<?php $code");
        }
        $connection = stream_socket_client("unix://$this->folder/socket");
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

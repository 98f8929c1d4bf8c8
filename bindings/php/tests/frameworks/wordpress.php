<?php

// WordPress with the plugin of sites.md, and a MariaDB of its own. Prints what a stranger, a user and a
// user's page get, and what is in the cache then.

declare(strict_types=1);

[, $recipe, $folder, $key] = $argv;
$socket = "$folder/socket";
$me = posix_getpwuid(posix_geteuid())['name'];
$options = ['--no-defaults', "--datadir=$folder/data", "--user=$me"];

exec('mariadb-install-db --auth-root-authentication-method=socket ' . implode(' ', array_map(escapeshellarg(...), $options)) . ' 2>&1', $output, $status);
if ($status !== 0) {
    exit(implode("\n", $output));
}
$log = ['file', "$folder/log", 'a'];
$database = proc_open(['mariadbd', ...$options, '--skip-networking', "--socket=$socket", "--pid-file=$folder/pid"], [1 => $log, 2 => $log], $pipes);
for ($deadline = hrtime(true) / 1e9 + 60; ; usleep(100_000)) {
    try {
        mysqli_connect('localhost', $me, '', '', 0, $socket)->query('CREATE DATABASE shop');
        break;
    } catch (mysqli_sql_exception $error) {
        if (hrtime(true) / 1e9 > $deadline) {
            throw $error;
        }
    }
}
mkdir("$folder/content/plugins", recursive: true);
copy($recipe, "$folder/content/plugins/prebind.php");
mkdir("$folder/content/themes/shop", recursive: true);
touch("$folder/content/themes/shop/style.css");
file_put_contents("$folder/content/themes/shop/index.php", '<!doctype html><title>Shop</title><?php wp_footer();');

// Each in a process of its own, as WordPress ends with the request.
$ask = static function (string $name, string $path) use ($folder, $me): mixed {
    $command = [PHP_BINARY, '-d', 'extension=' . getenv('PREBIND_EXTENSION'), '-d', 'prebind.url=' . ini_get('prebind.url'),
        '-d', 'error_reporting=1', '-d', 'display_errors=stderr', __DIR__ . '/wordpress-request.php', $folder, $me, $name, $path];
    $process = proc_open($command, [1 => ['pipe', 'w']], $pipes);
    $output = stream_get_contents($pipes[1]);
    proc_close($process);
    return json_decode($output, true);
};
$ask('', '-install');
echo json_encode([$ask('', '/prebind'), $ask('alice', '/prebind?page=a-1'), $ask('alice', '/'), $ask('', "-kept $key")[2]]);
proc_terminate($database);
proc_close($database);

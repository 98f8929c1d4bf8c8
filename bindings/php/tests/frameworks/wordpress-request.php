<?php

// One request to WordPress, in the global scope as it wants. A command line has no headers to be seen.

[, $folder, $me, $name, $path] = $argv;
define('ABSPATH', '/usr/share/wordpress/');
define('WP_CONTENT_DIR', "$folder/content");
define('DB_NAME', 'shop');
define('DB_USER', $me);
define('DB_PASSWORD', '');
define('DB_HOST', "localhost:$folder/socket");
define('WP_HOME', 'http://shop.example');
define('WP_SITEURL', 'http://shop.example');
define('DISABLE_WP_CRON', true);
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('WP_INSTALLING', $path === '-install');
$table_prefix = 'wp_';
$_SERVER = [
    'HTTP_HOST' => 'shop.example', 'SERVER_PROTOCOL' => 'HTTP/1.1', 'REQUEST_METHOD' => 'GET', 'REQUEST_URI' => $path,
    'HTTP_SEC_FETCH_SITE' => 'same-origin', 'PHP_SELF' => '/index.php', 'SCRIPT_NAME' => '/index.php', 'REMOTE_ADDR' => '127.0.0.1',
] + $_SERVER;
parse_str((string) parse_url($path, PHP_URL_QUERY), $_GET);

ob_start();
register_shutdown_function(static function () {
    $body = '';
    while (ob_get_level()) {
        $body = ob_get_clean() . $body;
    }
    echo json_encode([http_response_code() ?: 200, null, $body], JSON_INVALID_UTF8_SUBSTITUTE);
});
require ABSPATH . 'wp-settings.php';
if (WP_INSTALLING) {
    require ABSPATH . 'wp-admin/includes/upgrade.php';
    wp_install('Shop', 'alice', 'alice@example.org', true, '', 'at-the-site');
    update_option('permalink_structure', '/%postname%/');
    update_option('active_plugins', ['prebind.php']);
    update_option('template', 'shop');
    update_option('stylesheet', 'shop');
    exit;
}
if (str_starts_with($path, '-kept ')) {
    echo get_transient(substr($path, 6));
    exit;
}
wp_set_current_user($name === '' ? 0 : get_user_by('login', $name)->ID);
wp();
define('WP_USE_THEMES', true);
require ABSPATH . WPINC . '/template-loader.php';

<?php

// A Symfony application with the controller of sites.md. Prints what a stranger, a user, a user's page and
// somebody who claims to be that user get, what staff who act as that user get and see, what is in the cache then, and
// what a chat server is answered to its questions.
// If the last argument is `-session`, the user has a session of PHP and asks once.

declare(strict_types=1);

use Symfony\Bundle\FrameworkBundle\FrameworkBundle;
use Symfony\Bundle\FrameworkBundle\Kernel\MicroKernelTrait;
use Symfony\Bundle\SecurityBundle\SecurityBundle;
use Symfony\Component\DependencyInjection\Loader\Configurator\ContainerConfigurator;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpKernel\Kernel;
use Symfony\Component\Routing\Loader\Configurator\RoutingConfigurator;
use Symfony\Component\Security\Core\User\InMemoryUser;

require 'Symfony/Bundle/FrameworkBundle/autoload.php';
require 'Symfony/Bundle/SecurityBundle/autoload.php';
// From version 6 on it asks what Composer has installed, which here is nothing.
if (Kernel::MAJOR_VERSION > 5) {
    require 'Composer/InstalledVersions.php';
}
[, $recipe, $folder, $key] = $argv;
$asking = $argv[4] ?? null;
require $recipe;
if ($asking !== null) {
    require $asking;
}

/** In the environment `open` no firewall looks at who asks, in `session` it remembers who signed in. */
final class Website extends Kernel
{
    use MicroKernelTrait;

    public function registerBundles(): iterable
    {
        yield new FrameworkBundle();
        yield new SecurityBundle();
    }

    public function getProjectDir(): string
    {
        return $GLOBALS['folder'];
    }

    protected function configureContainer(ContainerConfigurator $container): void
    {
        $remembers = $this->environment === 'session';
        $firewall = ['lazy' => true, 'stateless' => !$remembers, 'http_basic' => ['provider' => 'people'], 'switch_user' => true];
        $session = $remembers ? ['session' => ['handler_id' => null]] : [];
        $container->extension('framework', ['secret' => 'x', 'router' => ['utf8' => true]] + $session);
        $container->extension('security', [
            'enable_authenticator_manager' => true,
            'password_hashers' => [InMemoryUser::class => 'plaintext'],
            'providers' => ['people' => ['memory' => ['users' => [
                'alice' => ['password' => 'at-the-site'],
                'boss' => ['password' => 'at-the-site', 'roles' => ['ROLE_ALLOWED_TO_SWITCH']],
            ]]]],
            'firewalls' => ['chat_login' => ['pattern' => '^/chat-login', 'security' => false], 'main' => $this->environment === 'open' ? ['security' => false] : $firewall],
        ]);
        $container->services()->set(App\Controller\ChatController::class)->public()->autowire()->tag('controller.service_arguments');
        if ($GLOBALS['asking'] !== null) {
            $login = $container->services()->set(App\Controller\ChatLoginController::class)->public();
            $login->autowire()->tag('controller.service_arguments');
        }
        $container->services()->alias('kept', 'cache.app')->public();
    }

    protected function configureRoutes(RoutingConfigurator $routes): void
    {
        foreach (array_filter([$GLOBALS['recipe'], $GLOBALS['asking']]) as $file) {
            $routes->import($file, 'annotation');
        }
        $routes->add('page', '/')->controller('App\Controller\ChatController::page');
    }
}

$ask = static function (Website $website, string $path, array $server): array {
    $server += ['HTTP_SEC_FETCH_SITE' => 'same-origin'];
    $response = $website->handle(Request::create("http://shop.example$path", 'GET', [], $_COOKIE, [], $server));
    return [$response->getStatusCode(), $response->headers->get('Cache-Control'), $response->getContent()];
};
$boss = ['PHP_AUTH_USER' => 'boss', 'PHP_AUTH_PW' => 'at-the-site'];
$alice = ['PHP_AUTH_USER' => 'alice', 'PHP_AUTH_PW' => 'at-the-site'];
if ($key === '-session') {
    $_COOKIE[session_name()] = session_create_id();
    echo json_encode($ask(new Website('session', false), '/prebind', $alice));
    exit;
}
$website = new Website('prod', false);
$asked = static function (string $question, string $secret = 'from-the-chat-server') use ($website): array {
    $server = ['HTTP_AUTHORIZATION' => "Bearer $secret", 'REMOTE_ADDR' => '127.0.0.1'];
    $response = $website->handle(Request::create('http://shop.example/chat-login', 'POST', [], [], [], $server, $question));
    return [$response->getStatusCode(), $response->getContent()];
};
echo json_encode([
    $ask($website, '/prebind', []),
    $ask($website, '/prebind?page=a-1', $alice),
    $ask($website, '/', $alice),
    $ask(new Website('open', false), '/prebind', $alice),
    $ask($website, '/prebind?_switch_user=alice', $boss),
    $ask($website, '/?_switch_user=alice', $boss),
    $website->getContainer()->get('kept')->getItem($key)->get(),
    [...array_map($asked, array_slice($argv, 5)), $asked($argv[5], 'another-secret-of-a-server')],
]);

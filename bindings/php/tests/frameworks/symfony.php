<?php

// A Symfony application with the controller of sites.md. Prints what a stranger, a user, a user's page and
// somebody who claims to be that user get, and what is in the cache then.

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
require $recipe;

/** In the environment `open` no firewall looks at who asks. */
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
        $firewall = ['lazy' => true, 'stateless' => true, 'http_basic' => ['provider' => 'people']];
        $container->extension('framework', ['secret' => 'x', 'router' => ['utf8' => true]]);
        $container->extension('security', [
            'enable_authenticator_manager' => true,
            'password_hashers' => [InMemoryUser::class => 'plaintext'],
            'providers' => ['people' => ['memory' => ['users' => ['alice' => ['password' => 'at-the-site']]]]],
            'firewalls' => ['main' => $this->environment === 'open' ? ['security' => false] : $firewall],
        ]);
        $container->services()->set(App\Controller\ChatController::class)->public()->autowire()->tag('controller.service_arguments');
        $container->services()->alias('kept', 'cache.app')->public();
    }

    protected function configureRoutes(RoutingConfigurator $routes): void
    {
        $routes->import($GLOBALS['recipe'], 'annotation');
        $routes->add('page', '/')->controller('App\Controller\ChatController::page');
    }
}

$ask = static function (Website $website, string $path, array $server): array {
    $response = $website->handle(Request::create("http://shop.example$path", 'GET', server: $server + ['HTTP_SEC_FETCH_SITE' => 'same-origin']));
    return [$response->getStatusCode(), $response->headers->get('Cache-Control'), $response->getContent()];
};
$website = new Website('prod', false);
$alice = ['PHP_AUTH_USER' => 'alice', 'PHP_AUTH_PW' => 'at-the-site'];
echo json_encode([
    $ask($website, '/prebind', []),
    $ask($website, '/prebind?page=a-1', $alice),
    $ask($website, '/', $alice),
    $ask(new Website('open', false), '/prebind', $alice),
    $website->getContainer()->get('kept')->getItem($key)->get(),
]);

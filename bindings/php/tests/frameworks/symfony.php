<?php

// A Symfony application with the controller of sites.md. Prints what a stranger, a user and a user's page get.

declare(strict_types=1);

use Symfony\Bundle\FrameworkBundle\FrameworkBundle;
use Symfony\Bundle\FrameworkBundle\Kernel\MicroKernelTrait;
use Symfony\Component\DependencyInjection\Loader\Configurator\ContainerConfigurator;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpKernel\Kernel;
use Symfony\Component\Routing\Loader\Configurator\RoutingConfigurator;

require 'Symfony/Bundle/FrameworkBundle/autoload.php';
[, $recipe, $folder] = $argv;
require $recipe;

final class Website extends Kernel
{
    use MicroKernelTrait;

    public function registerBundles(): iterable
    {
        yield new FrameworkBundle();
    }

    public function getProjectDir(): string
    {
        return $GLOBALS['folder'];
    }

    protected function configureContainer(ContainerConfigurator $container): void
    {
        $container->extension('framework', ['secret' => 'x', 'router' => ['utf8' => true]]);
        $container->services()->set(App\Controller\ChatController::class)->public()->tag('controller.service_arguments');
    }

    protected function configureRoutes(RoutingConfigurator $routes): void
    {
        $routes->import($GLOBALS['recipe'], 'annotation');
        $routes->add('page', '/')->controller('App\Controller\ChatController::page');
    }
}

$website = new Website('prod', false);
$ask = static function (string $path, array $server) use ($website): array {
    $response = $website->handle(Request::create("http://shop.example$path", 'GET', server: $server + ['HTTP_SEC_FETCH_SITE' => 'same-origin']));
    return [$response->getStatusCode(), $response->headers->get('Cache-Control'), $response->getContent()];
};
echo json_encode([$ask('/prebind', []), $ask('/prebind?page=a-1', ['PHP_AUTH_USER' => 'alice']), $ask('/', ['PHP_AUTH_USER' => 'alice'])]);

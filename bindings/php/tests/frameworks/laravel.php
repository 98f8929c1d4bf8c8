<?php

// Laravel's router with the route of sites.md. Prints what a stranger and a user get, what is in the cache then, and
// what staff who act as the user get. Not the layout: its line needs the helpers of a whole application.

declare(strict_types=1);

use Illuminate\Cache\ArrayStore;
use Illuminate\Cache\Repository;
use Illuminate\Container\Container;
use Illuminate\Events\Dispatcher;
use Illuminate\Http\Request;
use Illuminate\Routing\CallableDispatcher;
use Illuminate\Routing\Contracts\CallableDispatcher as Dispatches;
use Illuminate\Routing\Router;
use Illuminate\Session\NullSessionHandler;
use Illuminate\Session\Store;
use Illuminate\Support\Facades\Facade;

require 'Illuminate/Cache/autoload.php';
require 'Illuminate/Routing/autoload.php';
require 'Illuminate/Events/autoload.php';
[, $recipe, , $key] = $argv;

$application = new Container();
$router = new Router(new Dispatcher($application), $application);
$application->instance('router', $router);
$application->instance('cache', $cache = new Repository(new ArrayStore()));
// As an application has it from Laravel 9 on.
$application->bind(Dispatches::class, static fn () => new CallableDispatcher($application));
Facade::setFacadeApplication($application);
require $recipe;

$ask = static function (string $path, ?string $name, array $kept = []) use ($application, $router): array {
    $request = Request::create("http://shop.example$path", 'GET', server: ['HTTP_SEC_FETCH_SITE' => 'same-origin']);
    $request->setUserResolver(static fn () => $name === null ? null : (object) ['username' => $name]);
    $session = new Store('shop', new NullSessionHandler());
    $session->put($kept);
    $request->setLaravelSession($session);
    // As the kernel of an application does.
    $application->instance(Request::class, $request);
    $response = $router->dispatch($request);
    return [$response->getStatusCode(), $response->headers->get('Cache-Control'), $response->getContent()];
};
$staff = $ask('/prebind', 'alice', ['impersonated_by' => 1]);
echo json_encode([$ask('/prebind', null), $ask('/prebind?page=a-1', 'alice'), $cache->get($key), $staff]);

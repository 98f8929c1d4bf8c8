<?php

// Laravel's router with the routes of sites.md. Prints what a stranger and a user get, what is in the cache then, what
// staff who act as the user get, and what a chat server is answered to its questions. Not the layout: its line needs the helpers of a whole application.

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

/** Stands for App\Models\User. */
final class Users
{
    private function __construct(private readonly string $name)
    {
    }

    public static function where(string $column, string $name): self
    {
        return new self($name);
    }

    public function exists(): bool
    {
        return $this->name === 'alice';
    }
}

class_alias(Users::class, 'App\Models\User');

require 'Illuminate/Cache/autoload.php';
require 'Illuminate/Routing/autoload.php';
require 'Illuminate/Events/autoload.php';
[, $recipe, , $key, $asking] = $argv;

$application = new Container();
$router = new Router(new Dispatcher($application), $application);
$application->instance('router', $router);
$application->instance('cache', $cache = new Repository(new ArrayStore()));
// As an application has it from Laravel 9 on.
$application->bind(Dispatches::class, static fn () => new CallableDispatcher($application));
Facade::setFacadeApplication($application);
require $recipe;
require $asking;

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
$asked = static function (string $question, string $secret = 'from-the-chat-server') use ($application, $router): array {
    $server = ['HTTP_AUTHORIZATION' => "Bearer $secret", 'REMOTE_ADDR' => '127.0.0.1'];
    $request = Request::create('http://shop.example/chat-login', 'POST', server: $server, content: $question);
    $application->instance(Request::class, $request);
    $response = $router->dispatch($request);
    return [$response->getStatusCode(), $response->getContent()];
};
$answers = [...array_map($asked, array_slice($argv, 5)), $asked($argv[5], 'another-secret-of-a-server')];
echo json_encode([$ask('/prebind', null), $ask('/prebind?page=a-1', 'alice'), $cache->get($key), $staff, $answers]);

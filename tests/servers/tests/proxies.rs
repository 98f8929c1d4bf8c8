//! Tests that each route of a reverse proxy does what its name says.
#![allow(clippy::unwrap_used, reason = "in helpers as in tests, to panic is to fail")]

mod common;

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use common::trusting;
use servers::{Program, Proxy, Route};

const REQUESTS: usize = 4;

/// A web server that remembers the paths of its requests, for each connection.
struct Upstream {
    url: String,
    connections: Arc<Mutex<Vec<Vec<String>>>>,
}

impl Upstream {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/http-bind", listener.local_addr().unwrap());
        let connections = Arc::new(Mutex::new(Vec::new()));
        let remembered = connections.clone();
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let connections = connections.clone();
                connections.lock().unwrap().push(Vec::new());
                thread::spawn(move || {
                    let seen = |path| connections.lock().unwrap()[number].push(path);
                    serve(&stream.unwrap(), seen);
                });
            }
        });
        Self { url, connections: remembered }
    }

    /// The paths that were requested since the last call, for each connection.
    fn seen(&self) -> Vec<Vec<String>> {
        let mut connections = self.connections.lock().unwrap();
        connections.iter_mut().map(std::mem::take).filter(|paths| !paths.is_empty()).collect()
    }
}

/// Answers requests until the connection ends.
fn serve(stream: &TcpStream, mut seen: impl FnMut(String)) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_ascii_lowercase()),
            }
        }
        let length = lines.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
        reader.read_exact(&mut vec![0; length.parse().unwrap()]).unwrap();
        seen(lines[0].split(' ').nth(1).unwrap().to_owned());
        let close = lines[0].ends_with("http/1.0") || lines.iter().any(|line| line == "connection: close");
        // The body is long enough to be compressed.
        let body = format!("<body xmlns='http://jabber.org/protocol/httpbind'>{}</body>", " ".repeat(400));
        let connection = if close { "close" } else { "keep-alive" };
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: {}\r\n\
             Connection: {connection}\r\n\r\n{body}",
            body.len()
        );
        (&*stream).write_all(answer.as_bytes()).unwrap();
        if close {
            return;
        }
    }
}

#[test]
fn each_route_does_what_it_says() {
    for program in Program::ALL {
        let upstream = Upstream::start();
        let proxy = Proxy::start(program, &upstream.url).unwrap_or_else(|error| panic!("{error}"));
        let agent = trusting(&proxy.ca_pem);
        for route in Route::ALL {
            for url in [proxy.http_url(route), proxy.https_url(route)] {
                let encodings: Vec<bool> = ["identity", "gzip"]
                    .repeat(REQUESTS / 2)
                    .iter()
                    .map(|accepted| {
                        let request = agent.post(&url).header("accept-encoding", *accepted);
                        let mut response = request.content_type("text/xml").send("<body/>").unwrap();
                        // A connection is free for the next request once its answer has been read.
                        response.body_mut().read_to_vec().unwrap();
                        response.headers().get("content-encoding").is_some_and(|encoding| encoding == "gzip")
                    })
                    .collect();
                let compresses = route == Route::Compressed;
                assert_eq!(encodings, [false, compresses].repeat(REQUESTS / 2), "{program} {url}");

                let seen = upstream.seen();
                assert_eq!(seen.concat(), ["/http-bind"; REQUESTS], "{program} {url}");
                match route {
                    Route::Closed => assert_eq!(seen.len(), REQUESTS, "{program} {url}"),
                    Route::Kept => assert!(seen.len() < REQUESTS, "{program} {url}: {seen:?}"),
                    Route::Rewritten | Route::Compressed => {}
                }
            }
        }
        // Converse's documentation has a slash after the path.
        agent.post(format!("{}/", proxy.http_url(Route::Rewritten))).send("<body/>").unwrap();
        assert_eq!(upstream.seen().concat(), ["/http-bind/"], "{program}");
    }
}

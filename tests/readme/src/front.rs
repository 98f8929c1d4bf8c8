//! The configuration of a reverse proxy, as a site's administrator writes it.

use libtest_mimic::Failed;
use servers::{Front, Program};

/// Where the guides have the chat server.
const SERVER: &str = "127.0.0.1:5280";

/// A reverse proxy that runs.
pub(crate) struct Running {
    /// The BOSH endpoint behind it.
    pub(crate) url: String,
    pub(crate) program: Front,
}

/// Starts the program that this language belongs to, in front of the server at `url`. What an administrator has in
/// other files, such as the port and the paths of Apache's modules, is added here.
pub(crate) fn start(language: &str, block: &str, url: &str) -> Result<Running, Failed> {
    let (address, path) = url
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
        .ok_or_else(|| format!("{url} is not one of http"))?;
    if !block.contains(SERVER) {
        return Err(format!("the chat server of the guides is at {SERVER}").into());
    }
    let block = block.replace(SERVER, address);
    let program = match language {
        "nginx" => Program::Nginx,
        "apache" => Program::Apache,
        "haproxy" => Program::Haproxy,
        _ => Program::Caddy,
    };
    let front = Front::start(program, |port, folder| {
        let folder = folder.display();
        match program {
            Program::Nginx => format!(
                "daemon off; pid nginx.pid; error_log stderr; events {{ }}
                 http {{
                     access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
                     uwsgi_temp_path uwsgi; scgi_temp_path scgi;
                     server {{ listen 127.0.0.1:{port};\n{block}\n}}
                 }}"
            ),
            Program::Apache => format!("{}\n{block}", APACHE.replace("FOLDER", &folder.to_string()).replace("PORT", &port.to_string())),
            Program::Haproxy => block
                .replace("bind :443", &format!("bind 127.0.0.1:{port}"))
                .replace("/etc/haproxy/chat.example.org.pem", &format!("{folder}/server.pem")),
            Program::Caddy => {
                let site = format!("http://127.0.0.1:{port} {{\n\tbind 127.0.0.1");
                format!("{{\nadmin off\n}}\n{}", block.replace("chat.example.org {", &site))
            }
        }
    })?;
    let scheme = if program == Program::Haproxy { "https" } else { "http" };
    Ok(Running { url: format!("{scheme}://{}/{path}", front.address), program: front })
}

/// What Debian's Apache has besides, once `a2enmod proxy_http` was called.
const APACHE: &str = "
    ServerRoot FOLDER
    DefaultRuntimeDir FOLDER
    PidFile FOLDER/apache.pid
    ServerName localhost
    ErrorLog /dev/stderr
    Listen 127.0.0.1:PORT
    LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
    LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
    LoadModule env_module /usr/lib/apache2/modules/mod_env.so
    LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
    LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
    User www-data
    Group www-data
";

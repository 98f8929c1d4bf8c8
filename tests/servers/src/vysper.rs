//! The command line and the version of Apache Vysper. The program that starts it is
//! `config/vysper/Vysper.java`.

use std::collections::BTreeMap;

use crate::{
    error::{Error, Result},
    guardian::Launch,
    hosts::{ACCOUNTS, LOCALHOST},
    install::install,
    setup::{Setup, find_program},
    version,
};

/// What Vysper logs if another program has its port.
pub(crate) const PORT_TAKEN: &str = "Address already in use";

pub(crate) fn launch(setup: &Setup<'_>) -> Result<Launch> {
    let missing = Error::NoProgram { program: "java", package: "openjdk-17-jdk-headless" };
    let program = find_program("java").ok_or(missing)?;
    let installed = install("vysper")?;
    let classes = format!("{0}/classes:{0}/libraries/*", installed.display());
    let accounts = ACCOUNTS.map(|(user, password)| format!("{user}:{password}")).join(" ");
    Ok(Launch {
        program,
        arguments: [
            // A test ends before the second compiler of the JVM would be worth its cost.
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            // Vysper's web server is older than TLS 1.3 and breaks connections that use it.
            "-Djdk.tls.server.protocols=TLSv1.2",
            "-cp",
            &classes,
            "Vysper",
        ]
        .map(Into::into)
        .into(),
        environment: BTreeMap::from([
            ("DIRECTORY", setup.directory.into()),
            ("HTTP_PORT", setup.http_port.to_string().into()),
            ("HTTPS_PORT", setup.https_port.to_string().into()),
            ("SECRET", setup.secret.clone().into()),
            ("DOMAIN", LOCALHOST.into()),
            ("ACCOUNTS", accounts.into()),
        ]),
    })
}

pub(crate) fn version() -> Result<String> {
    let project = include_str!("../config/vysper/pom.xml");
    let named = project.split_once("<vysper.version>").and_then(|(_, rest)| version::shortened(rest));
    named.ok_or_else(|| Error::NotOffered("Vysper's project names no version".to_owned()))
}

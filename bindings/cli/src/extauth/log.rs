//! The log goes to standard error or a file, and never to standard output, which is for answers.

use std::fmt;
use std::fs::File;
use std::io::{self, Stderr, Write};
use std::panic;
use std::path::PathBuf;
use std::process;

use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use crate::printable::printable;

/// From now on, logs to this file, or to standard error if there is no file or it cannot be written. A panic
/// is logged only by its place, because its message may repeat a password.
pub(crate) fn install(file: Option<PathBuf>) {
    let lines = tracing_subscriber::fmt::layer()
        .event_format(Line)
        .with_writer(Sink(file))
        // These errors would go to standard error, and writing there panics if it is closed.
        .log_internal_errors(false)
        .with_filter(LevelFilter::INFO);
    let subscriber = tracing_subscriber::registry().with(lines);
    tracing::subscriber::set_global_default(subscriber).expect("it is installed once");
    panic::set_hook(Box::new(|defect| {
        let place = defect.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!("a defect in prebind at {place}: the request is refused; please report it");
    }));
}

/// `2026-11-30T14:30:00.000000Z ERROR prebind extauth[1234]: …`
struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        SystemTime.format_time(&mut line)?;
        write!(line, " {:<5} prebind extauth[{}]: ", event.metadata().level(), process::id())?;
        context.field_format().format_fields(line.by_ref(), event)?;
        writeln!(line)
    }
}

/// Opens the file for each line, so that the file can be rotated.
struct Sink(Option<PathBuf>);

enum Opened {
    File(File),
    Stderr(Stderr),
}

impl MakeWriter<'_> for Sink {
    type Writer = Opened;

    fn make_writer(&self) -> Opened {
        let Some(path) = &self.0 else { return Opened::Stderr(io::stderr()) };
        match File::options().append(true).create(true).open(path) {
            Ok(file) => Opened::File(file),
            Err(error) => {
                let text = format!("cannot write to {} ({error}):\n", printable(&path.to_string_lossy()));
                // If standard error is closed, nothing can be reported.
                io::stderr().write_all(text.as_bytes()).unwrap_or_default();
                Opened::Stderr(io::stderr())
            }
        }
    }
}

impl Write for Opened {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Stderr(stderr) => stderr.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Stderr(stderr) => stderr.flush(),
        }
    }
}

//! The drivers that are part of this program: the library from Rust, and the floor.

use std::env;
use std::fs;
use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::process;
use std::thread;
use std::time::Instant;

use clap::{Args, Subcommand};
use prebind::Client;

use crate::Result;
use crate::cpu::Clock;
use crate::driver::Answer;
use crate::replay::Replay;
use crate::target::{Login, config};

/// Answers each line on stdin with a call.
#[derive(Args)]
pub(crate) struct Drive {
    #[command(subcommand)]
    what: What,
    /// Answer each line with as many calls as this, at once
    #[arg(long, default_value_t = 1, global = true)]
    threads: usize,
    /// How many calls each thread makes
    #[arg(long, default_value_t = 1, global = true)]
    calls: usize,
}

#[derive(Subcommand)]
enum What {
    /// The library
    Rust,
    /// A recorded call
    Replay {
        /// What was recorded
        script: PathBuf,
    },
}

/// A call: its round trips, the SID and the next RID.
type Call<'a> = Box<dyn FnMut() -> Result<(u32, String, u64)> + Send + 'a>;

impl Drive {
    pub(crate) fn run(&self) -> Result<()> {
        let (url, ca) = (env::var("PREBIND_URL")?, PathBuf::from(env::var("PREBIND_CA")?));
        match &self.what {
            What::Rust => {
                let login: Login = env::var("PREBIND_MECHANISM")?.parse()?;
                let config = config(&url, &ca, login)?
                    .with_profile(Some(env::var("PREBIND_PROFILE")?).filter(|profile| !profile.is_empty()));
                let client = Client::new(config)?;
                let account = &login.account(&env::var("PREBIND_JID")?, &env::var("PREBIND_PASSWORD")?)?;
                let make = || -> Result<Call<'_>> {
                    let client = client.clone();
                    Ok(Box::new(move || {
                        let session = client.prebind(account)?;
                        Ok((session.round_trips(), session.sid().to_owned(), session.rid()))
                    }))
                };
                self.answer_with(make, || client.profile().contains("classic_until"))
            }
            What::Replay { script } => {
                let script = fs::read_to_string(script)?;
                let make = || -> Result<Call<'_>> {
                    let mut replay = Replay::new(serde_json::from_str(&script)?, &url, &ca)?;
                    Ok(Box::new(move || {
                        let replayed = replay.call()?;
                        Ok((replayed.round_trips, replayed.sid, replayed.next_rid))
                    }))
                };
                self.answer_with(make, || false)
            }
        }
    }

    /// `is_classic` tells whether only the classic exchange is taken, since a shorter one has failed.
    fn answer_with<'a>(
        &self,
        make: impl Fn() -> Result<Call<'a>>,
        is_classic: impl Fn() -> bool,
    ) -> Result<()> {
        let mut threads = (0..self.threads).map(|_| make()).collect::<Result<Vec<_>>>()?;
        let (input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
        for line in input.lines() {
            line?;
            let mut answer = self.burst(&mut threads)?;
            if is_classic() {
                answer.fallbacks = answer.sessions.len() + answer.errors.len();
            }
            writeln!(output, "{}", serde_json::to_string(&answer)?)?;
            output.flush()?;
        }
        Ok(())
    }

    fn burst(&self, threads: &mut [Call<'_>]) -> Result<Answer> {
        let clock = Clock::of(process::id())?;
        let (cpu, start) = (clock.now()?, Instant::now());
        let results: Vec<_> = match threads {
            [only] => (0..self.calls).map(|_| only()).collect(),
            many => thread::scope(|scope| {
                let running: Vec<_> = many
                    .iter_mut()
                    .map(|call| scope.spawn(|| (0..self.calls).map(|_| call()).collect::<Vec<_>>()))
                    .collect();
                running.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
            }),
        };
        let (seconds, cpu) = (start.elapsed().as_secs_f64(), clock.now()?.saturating_sub(cpu));
        let mut answer = Answer { seconds, cpu_seconds: Some(cpu.as_secs_f64()), ..Answer::default() };
        for result in results {
            match result {
                Ok((round_trips, sid, rid)) => {
                    answer.round_trips = Some(round_trips);
                    answer.sessions.push((sid, rid));
                }
                Err(error) => answer.errors.push(error.to_string()),
            }
        }
        Ok(answer)
    }
}

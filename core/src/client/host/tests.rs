use std::fs::Permissions;
use std::os::unix::fs::chown;
use std::sync::atomic::AtomicU64;

use super::*;

/// An empty folder, until it is dropped.
pub(in crate::client) struct Folder(pub(in crate::client) PathBuf);

impl Folder {
    pub(in crate::client) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("prebind-test-{}-{}", process::id(), COUNT.fetch_add(1, Relaxed));
        let path = env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn host(&self, change: impl FnOnce(&mut Config)) -> Host {
        let mut config = Config::new("https://chat.example.org/http-bind?key=hidden").unwrap();
        change(&mut config);
        Host::within(&self.0, &config).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn is_held(place: &Place) -> bool {
    place.0.is_some()
}

#[test]
fn no_site_shares_nothing() {
    let config = Config::new("https://chat.example.org/http-bind").unwrap();
    assert!(Host::new(&config).is_none());
}

/// Each `Host` stands for a process here, because each opens the files by itself.
#[test]
fn the_last_of_many_is_refused_at_once_until_another_ends() {
    let folder = Folder::new();
    let hosts = [(); 9].map(|()| folder.host(|config| config.max_host_calls = 8));
    let mut places: Vec<_> = hosts[..8].iter().map(|host| host.place().unwrap()).collect();
    assert!(places.iter().all(is_held));
    assert_eq!(hosts[8].place().unwrap_err(), Full { most: 8 });
    places.remove(3);
    assert!(is_held(&hosts[8].place().unwrap()));
}

#[test]
fn half_of_the_workers_may_call() {
    for (workers, most) in [(1, 1), (2, 1), (5, 2), (10, 5)] {
        let folder = Folder::new();
        let host = folder.host(|config| config.workers = workers);
        let _places: Vec<_> = (0..most).map(|_| host.place().unwrap()).collect();
        assert_eq!(host.place().unwrap_err(), Full { most });
    }
}

#[test]
fn two_clients_of_a_process_are_one_process() {
    let folder = Folder::new();
    let [first, second] = [(); 2].map(|()| folder.host(|config| config.workers = 4));
    let places = [first.place().unwrap(), second.place().unwrap()];
    assert_eq!(second.place().unwrap_err(), Full { most: 2 });
    drop((first, places));
    let _places = [(); 2].map(|()| second.place().unwrap());
    assert_eq!(second.place().unwrap_err(), Full { most: 2 }, "it is still counted");
}

#[test]
fn only_living_processes_of_the_same_parent_count() {
    let folder = Folder::new();
    let host = folder.host(|config| config.workers = 2);
    drop(host.place().unwrap());
    let file = |name: String| host.directory.join(name);
    let dead = file(format!("{}1", group()));
    let elsewhere = file(format!("{PRESENCE}0-1"));
    let alive = file(format!("{}2", group()));
    for path in [&dead, &elsewhere, &alive] {
        fs::write(path, "100").unwrap();
    }
    let _locks = [&elsewhere, &alive].map(|path| {
        let file = open(path).unwrap();
        flock(&file, FlockOperation::NonBlockingLockExclusive).unwrap();
        file
    });
    assert_eq!(host.present().unwrap(), 102);
    assert!(!dead.exists() && elsewhere.exists());
}

#[test]
fn another_url_has_places_of_its_own() {
    let folder = Folder::new();
    let host = folder.host(|config| config.max_host_calls = 1);
    let _place = host.place().unwrap();
    let mut config = Config::new("https://chat.example.net/http-bind").unwrap();
    config.max_host_calls = 1;
    assert!(Host::within(&folder.0, &config).unwrap().place().is_ok());
    assert!(host.place().is_err());
}

#[test]
fn only_this_user_may_read_the_files_and_their_names_hide_the_url() {
    let folder = Folder::new();
    let host = folder.host(|config| config.workers = 1);
    let _place = host.place().unwrap();
    host.notes().unwrap().write("5 1\n");
    let mut paths = vec![folder.0.clone()];
    let mut files = 0;
    while let Some(path) = paths.pop() {
        for entry in fs::read_dir(path).unwrap() {
            let entry = entry.unwrap();
            let (mode, is_dir) = (entry.metadata().unwrap().mode() & 0o777, entry.path().is_dir());
            assert_eq!(mode, if is_dir { 0o700 } else { 0o600 }, "{entry:?}");
            assert!(!entry.path().to_string_lossy().contains("hidden"));
            if is_dir {
                paths.push(entry.path());
            } else {
                files += 1;
                let content = fs::read_to_string(entry.path()).unwrap();
                assert!(["", "1", "5 1\n"].contains(&content.as_str()), "{content}");
            }
        }
    }
    assert_eq!(files, 3);
}

/// Checks that the host shares nothing because of this problem, and still lets calls through.
fn assert_is_alone(host: &Host, problem: &str) {
    assert!(!is_held(&host.place().unwrap()), "{problem}");
    assert!(!is_held(&host.place().unwrap()), "{problem}");
    assert!(host.notes().is_none() && host.probe().is_none());
    let error = host.lock(NOTES).unwrap_err();
    assert!(error.to_string().contains(problem), "{error}");
    assert!(host.is_told.load(Relaxed));
}

#[test]
fn a_directory_of_somebody_else_is_not_used() {
    let folder = Folder::new();
    let host = folder.host(|config| config.max_host_calls = 1);
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can give a directory away");
        return;
    }
    // Another user who made the directory may also have made the files in it.
    fs::create_dir_all(&host.directory).unwrap();
    chown(host.directory.parent().unwrap(), Some(65_534), None).unwrap();
    assert_is_alone(&host, "another user's");
    assert!(fs::read_dir(&host.directory).unwrap().next().is_none());
}

#[test]
fn a_link_to_elsewhere_is_not_used() {
    let folder = Folder::new();
    let host = folder.host(|config| config.max_host_calls = 1);
    std::os::unix::fs::symlink(env::temp_dir(), host.directory.parent().unwrap()).unwrap();
    assert_is_alone(&host, "no directory");
}

/// Not even root can write to this directory.
#[test]
fn where_nothing_can_be_written_calls_are_not_limited() {
    let folder = Folder::new();
    let file = folder.0.join("a file");
    fs::write(&file, "").unwrap();
    let mut config = Config::new("https://chat.example.org/http-bind").unwrap();
    config.max_host_calls = 1;
    assert_is_alone(&Host::within(&file, &config).unwrap(), "Not a directory");
}

#[test]
fn a_directory_that_others_could_read_is_closed_to_them() {
    let folder = Folder::new();
    let host = folder.host(|config| config.max_host_calls = 1);
    fs::create_dir_all(&host.directory).unwrap();
    fs::set_permissions(&host.directory, Permissions::from_mode(0o777)).unwrap();
    assert!(is_held(&host.place().unwrap()));
    assert_eq!(fs::metadata(&host.directory).unwrap().mode() & 0o777, 0o700);
}

/// Programs that clean up the folder for temporary files delete the directory.
#[test]
fn a_directory_that_was_deleted_is_made_again() {
    let folder = Folder::new();
    let host = folder.host(|config| config.max_host_calls = 1);
    drop(host.place().unwrap());
    fs::remove_dir_all(host.directory.parent().unwrap()).unwrap();
    assert!(is_held(&host.place().unwrap()));
}

#[test]
fn a_process_whose_file_was_deleted_shows_that_it_is_there_again() {
    let folder = Folder::new();
    let host = folder.host(|config| config.workers = 4);
    drop(host.place().unwrap());
    fs::remove_dir_all(host.directory.parent().unwrap()).unwrap();
    let _places = [(); 2].map(|()| host.place().unwrap());
    assert_eq!(host.place().unwrap_err(), Full { most: 2 });
}

#[test]
fn a_process_that_holds_the_notes_stops_nobody() {
    let folder = Folder::new();
    let host = folder.host(|config| config.workers = 1);
    let notes = host.notes().unwrap();
    assert!(host.notes().is_none());
    notes.write("6 0\n");
    assert_eq!(host.notes().unwrap().text, "6 0\n");
}

#[test]
fn notes_that_another_process_holds_for_a_moment_are_waited_for() {
    let folder = Folder::new();
    let host = folder.host(|config| config.workers = 1);
    // On a busy machine a moment may take longer than the patience, not each time.
    let is_waited_for = (0..20).any(|_| {
        let (told, is_held) = std::sync::mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                let notes = host.notes();
                told.send(()).unwrap();
                thread::sleep(Duration::from_millis(2));
                drop(notes);
            });
            is_held.recv().unwrap();
            host.lock(NOTES).unwrap().is_none() && host.notes().is_some()
        })
    });
    assert!(is_waited_for);
}

#[test]
fn a_limit_that_is_set_needs_no_count_of_the_processes() {
    let folder = Folder::new();
    let host = folder.host(|config| (config.workers, config.max_host_calls) = (4, 1));
    let _place = host.place().unwrap();
    let files: Vec<_> =
        fs::read_dir(&host.directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["call-0"]);
}

/// As where a program has deleted the file, another client of this process made it anew, and has ended since.
#[test]
fn a_file_of_the_same_name_is_not_the_one_that_shows_a_process() {
    let folder = Folder::new();
    let [first, second] = [(); 2].map(|()| folder.host(|config| config.workers = 4));
    drop(first.place().unwrap());
    fs::remove_dir_all(first.directory.parent().unwrap()).unwrap();
    drop(second.place().unwrap());
    drop(second);
    let _place = first.place().unwrap();
    assert_eq!(first.present().unwrap(), 4, "it shows itself again");
}

/// A child of a process has the files of its parent open, and as a copy all that its parent knows.
#[test]
fn a_place_is_free_once_the_call_of_its_own_process_ends() {
    let folder = Folder::new();
    let host = folder.host(|config| config.max_host_calls = 1);
    let place = host.place().unwrap();
    let file = place.0.as_ref().unwrap().file.try_clone().unwrap();
    let of_child = Lock { file, process: process::id() + 1 };
    let another = Lock { file: of_child.file.try_clone().unwrap(), process: of_child.process };
    drop(of_child);
    assert!(host.place().is_err(), "the child does not end the call of its parent");
    drop(place);
    assert!(host.place().is_ok(), "although the child has the file open");
    drop(another);
}

#[test]
fn that_nothing_can_be_shared_is_told_once() {
    let folder = Folder::new();
    let host = folder.host(|config| config.max_host_calls = 1);
    std::os::unix::fs::symlink(env::temp_dir(), host.directory.parent().unwrap()).unwrap();
    let told = std::cell::RefCell::<Vec<String>>::default();
    let calls = || {
        for _ in 0..3 {
            drop(host.place().unwrap());
        }
    };
    crate::binding::with_log(tracing::Level::WARN, |it| told.borrow_mut().push(it.message.to_owned()), calls);
    let told = told.into_inner();
    assert!(told.len() == 1 && told[0].contains("TMPDIR"), "{told:?}");
}

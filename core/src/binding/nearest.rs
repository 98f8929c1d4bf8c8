//! Which name may be meant by one that there is none of.

use strsim::osa_distance;

/// The known name that is most like this one, if one is like it.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    // A name so long is none that somebody mistyped, and its distance would take time.
    if name.chars().count() > 60 {
        return None;
    }
    // What all names begin with says nothing, such as `prebind.` in a `php.ini`.
    let most = |known: &str| known.rsplit('.').next().unwrap_or_default().chars().count().div_ceil(3);
    let name = name.to_lowercase();
    let distances = known.iter().map(|known| (osa_distance(&name, &known.to_lowercase()), *known));
    distances
        .filter(|(distance, known)| *distance <= most(known))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_like_name_is_meant() {
        let known = ["wait", "hold", "max_calls", "max_reply"];
        for (name, meant) in [
            ("max_call", Some("max_calls")),
            ("maxcalls", Some("max_calls")),
            ("MAX_REPLY", Some("max_reply")),
            ("wiat", Some("wait")),
            ("proxy", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, &known), meant, "{name}");
        }
        let settings = ["prebind.deadline", "prebind.learn"];
        assert_eq!(nearest("prebind.lerarn", &settings), Some("prebind.learn"));
        assert_eq!(nearest("prebind.timeout", &settings), None);
        assert_eq!(nearest(&"x".repeat(10_000), &known), None);
    }
}

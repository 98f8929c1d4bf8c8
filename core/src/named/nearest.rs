//! Which name may be meant by one that there is none of.

/// The known name that is most like this one, if one is like it.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    // A name so long is none that somebody mistyped, and its distance would take time.
    if name.chars().count() > 60 {
        return None;
    }
    // What all names begin with says nothing, such as `prebind.` in a `php.ini`.
    let most = |known: &str| known.rsplit('.').next().unwrap_or_default().chars().count().div_ceil(3);
    let distances = known.iter().map(|known| (distance(name, known), *known));
    distances
        .filter(|(distance, known)| *distance <= most(known))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// How many letters to insert, to remove, to replace or to swap with their neighbours (the optimal string alignment
/// distance). Case does not count.
fn distance(a: &str, b: &str) -> usize {
    let [a, b]: [Vec<char>; 2] = [a, b].map(|text| text.to_lowercase().chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut least = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted() {
        for (a, b, expected) in [
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("Abc", "abC", 0),
            ("pasword", "password", 1),
            ("passwrod", "password", 1),
            ("kitten", "sitting", 3),
            ("é", "e", 1),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }

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

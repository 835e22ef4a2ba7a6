//! A file of a role inside another file.

/// The section of `text` under `key` as a file of its own: what stands before is blank, so that lines keep their numbers,
/// and what is in it stands at the margin. `None`: there is no such section, or it does not begin on a line of its own.
#[must_use]
pub fn section(text: &str, key: &str) -> Option<String> {
    let mut lines = text.lines();
    let mut own = String::new();
    loop {
        let line = lines.next()?;
        own.push('\n');
        let Some(rest) = line.strip_prefix(key).and_then(|rest| rest.strip_prefix(':')) else { continue };
        let rest = rest.trim_start();
        if rest.is_empty() || rest.starts_with('#') {
            break;
        }
        return None;
    }
    let inside: Vec<&str> = lines.take_while(|line| !begins_another(line)).collect();
    let margin = inside.iter().filter(|line| has_content(line)).map(|line| indent(line)).min()?;
    for line in inside {
        own += line.get(margin.min(indent(line))..).unwrap_or_default();
        own.push('\n');
    }
    Some(own)
}

fn begins_another(line: &str) -> bool {
    line.chars().next().is_some_and(|first| !first.is_whitespace() && first != '#')
}

fn has_content(line: &str) -> bool {
    !matches!(line.trim_start().chars().next(), None | Some('#'))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "log: { level: info }\nempi:  # the bank's\n  # all\n  node: a\n\n  store:\n    sqlite: x\n# next\nuaop:\n  node: b\n";

    #[test]
    fn a_section_is_a_file_whose_lines_have_their_numbers() {
        assert_eq!(section(FILE, "empi").unwrap(), "\n\n# all\nnode: a\n\nstore:\n  sqlite: x\n# next\n");
        assert_eq!(section(FILE, "uaop").unwrap().lines().nth(9), Some("node: b"));
    }

    #[test]
    fn what_is_not_there_or_on_one_line_is_none() {
        assert_eq!(section(FILE, "gateway"), None);
        assert_eq!(section(FILE, "log"), None);
        assert_eq!(section("emp: 1\nempi:\n", "empi"), None);
    }
}

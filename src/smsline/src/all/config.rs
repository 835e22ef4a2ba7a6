//! The file of `smsline all`: a section for each role, as the role's own file has it.

use runtime::config::{ThisHost, log_lines};
use runtime::logging::Format;
use settings::{Fault, Faults, Path, Problem, Section, Step};

use super::section::section;
use crate::role::{Carrier, Center, Empi, Gateway, Role, Uaop};

/// The roles of the file; at least one.
pub struct Config {
    pub format: Format,
    pub level: String,
    pub carrier: Option<<Carrier as Role>::Config>,
    pub gateway: Option<<Gateway as Role>::Config>,
    pub uaop: Option<<Uaop as Role>::Config>,
    pub center: Option<<Center as Role>::Config>,
    pub empi: Option<<Empi as Role>::Config>,
}

/// Reads the file.
///
/// # Errors
/// Every fault of every section.
pub fn read(text: &str) -> Result<Config, Vec<Fault>> {
    let tree = settings::parse(text).map_err(|fault| vec![*fault])?;
    let faults = Faults::default();
    let mut log = None;
    let mut present = Vec::new();
    if let Some(mut top) = Section::open(&tree, &faults) {
        log = top.section("log").map(|mut log| {
            let read = log_lines(&mut log, &ThisHost { program: "smsline" });
            log.finish();
            read
        });
        for role in ROLES {
            if top.node(role).is_some() {
                present.push(role);
            }
        }
        if present.is_empty() {
            top.missing(
                "empi",
                &format!("give a section for each role that is to run: {}", ROLES.join(", ")),
            );
        }
        top.finish();
    }
    let own = settings::in_order(text, faults.into_vec());
    let (format, level) = log.unwrap_or_else(|| (Format::Text, "info".to_owned()));
    let mut parts = Parts { text, present: &present, faults: own };
    let config = Config {
        format,
        level,
        carrier: parts.read::<Carrier>(),
        gateway: parts.read::<Gateway>(),
        uaop: parts.read::<Uaop>(),
        center: parts.read::<Center>(),
        empi: parts.read::<Empi>(),
    };
    if parts.faults.is_empty() { Ok(config) } else { Err(parts.faults) }
}

const ROLES: [&str; 5] = [Carrier::NAME, Gateway::NAME, Uaop::NAME, Center::NAME, Empi::NAME];

struct Parts<'a> {
    text: &'a str,
    present: &'a [&'static str],
    faults: Vec<Fault>,
}

impl Parts<'_> {
    fn read<R: Role>(&mut self) -> Option<R::Config> {
        if !self.present.contains(&R::NAME) {
            return None;
        }
        let Some(text) = section(self.text, R::NAME) else {
            let noted = Faults::default();
            let problem =
                Problem::new("is not a section on lines of its own", "put its keys below it, indented");
            noted.missing(Path::default().key(R::NAME), problem);
            self.faults.extend(noted.into_vec());
            return None;
        };
        R::read(&text)
            .map_err(|faults| self.faults.extend(faults.into_iter().map(|fault| below(R::NAME, fault))))
            .ok()
    }
}

fn below(role: &str, mut fault: Fault) -> Fault {
    fault.path.0.insert(0, Step::Key { key: role.to_owned(), nth: 0 });
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> String {
        let faults = read(text).err().unwrap();
        faults.iter().map(|fault| format!("{fault}\n")).collect()
    }

    #[test]
    fn the_example_has_every_role_and_no_fault() {
        let config =
            read(include_str!("../../../../config/all.yaml")).unwrap_or_else(|faults| panic!("{faults:?}"));
        let Config { carrier, gateway, uaop, center, empi, .. } = config;
        assert!(
            carrier.is_some() && gateway.is_some() && uaop.is_some() && center.is_some() && empi.is_some()
        );
    }

    #[test]
    fn a_fault_of_a_section_has_the_line_of_the_file_and_the_path_from_its_top() {
        let told = faults("log: { level: info }\n\ncarrier:\n  nonsense: 1\n");
        assert!(told.contains("line 4: carrier.nonsense"), "{told}");
    }

    #[test]
    fn a_file_without_roles_says_which_there_are() {
        let told = faults("log: { level: info }\n");
        assert!(told.contains("carrier, gateway, uaop, center, empi"), "{told}");
    }

    #[test]
    fn a_section_on_one_line_and_an_unknown_one_are_faults() {
        let told = faults("carrier: { a: 1 }\nsms: {}\n");
        assert!(told.contains("carrier: is not a section"), "{told}");
        assert!(told.contains("line 2: sms"), "{told}");
    }
}

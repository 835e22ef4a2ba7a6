//! `smsline mo`.

use std::net::SocketAddr;

use carrier::control::api::MoRequest;
use carrier::control::client::Client;
use domain::text::Preference;
use runtime::command::say;

use crate::args::{Coding, UserMessage};

/// Has the carrier send a message of a user.
pub async fn mo(control: SocketAddr, mo: UserMessage) -> anyhow::Result<()> {
    let request = MoRequest {
        account: mo.account,
        from: mo.from,
        to: mo.to,
        text: mo.text,
        coding: match mo.coding {
            Coding::Ucs2 => Preference::Ucs2,
            Coding::Gb18030 => Preference::Gb18030,
        },
    };
    let parts = Client::new(control).mo(&request).await?.parts;
    let plural = if parts == 1 { "" } else { "s" };
    say(&format!("on its way to {}, in {parts} part{plural}", request.account));
    Ok(())
}

//! SGIP: the connection to the customer's listener, dialled when something waits.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use wire::protocol::Credentials;
use wire::sgip::{Sgip, VERSION};

use super::Shared;
use crate::account::Account;
use crate::config::Dial;
use crate::connection::Connection;

/// How long a customer's listener has to accept.
const CONNECT: Duration = Duration::from_secs(10);

/// BIND: from the gateway to the customer.
const LOGIN_TYPE: u8 = 2;

/// Dials whenever something waits that no connection carries; runs for ever.
pub(super) async fn keep_dialling(shared: Arc<Shared>, account: Arc<Account>, dial: Dial) {
    loop {
        account.needs_link().await;
        match connect(&dial).await {
            Ok(stream) => {
                let credentials = Credentials {
                    id: dial.id,
                    secret: dial.secret.clone(),
                    version: VERSION,
                    mode: LOGIN_TYPE,
                    node: shared.config.node,
                };
                let limits = shared.limits::<Sgip>(account.config.window, Some(dial.idle));
                let shared = Arc::clone(&shared);
                let connection =
                    Connection::<Sgip>::dialled(shared, dial.address, &account, credentials, limits);
                connection.run(stream).await;
            }
            Err(error) => {
                let (account, address) = (&*account.name, dial.address);
                tracing::warn!(account, %address, %error, "the customer's listener cannot be reached");
            }
        }
        // a listener that takes a connection and then nothing over it is none that can be reached
        if account.lacks_link() {
            tokio::time::sleep(dial.again).await;
        }
    }
}

async fn connect(dial: &Dial) -> std::io::Result<TcpStream> {
    let stream = tokio::time::timeout(CONNECT, TcpStream::connect(dial.address)).await??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

//! The servers behind the proxies: a process of its own, with one thread per core.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use clap::Args;
use socket2::{Domain, Socket, Type};
use testkit::ports::{self, Port};
use testkit::wait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

use crate::contestant::BACKLOG;

/// First byte of a connection: what comes is to be sent back.
pub const ECHO: u8 = b'E';
/// First byte of a connection: send as much as is taken.
pub const DOWNLOAD: u8 = b'D';
/// First byte of a connection: take as much as comes.
pub const UPLOAD: u8 = b'U';
/// Bytes of one bulk read or write.
pub const CHUNK: usize = 128 * 1024;

const PORTS: usize = 4;

/// The running process; killed when dropped.
pub struct Servers {
    process: Child,
    ports: Vec<Port>,
}

impl Servers {
    /// Starts it and waits until it listens.
    pub fn start(threads: usize) -> Result<Self> {
        let ports = (0..PORTS).map(|_| ports::reserve()).collect::<Result<Vec<_>>>()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve").args(["--threads", &threads.to_string()]);
        command.args(ports.iter().map(|port| port.number().to_string()));
        let process = command.spawn().context("cannot start the servers")?;
        let servers = Self { process, ports };
        wait::until("the servers to listen", Duration::from_secs(10), || {
            servers.ports.iter().all(|port| ports::listening(port.number())).then_some(())
        })?;
        Ok(servers)
    }

    /// Where they listen.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.ports.iter().map(Port::address).collect()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // Failures mean that it is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `bench serve`.
#[derive(Args, Debug)]
pub struct Serve {
    #[arg(long)]
    threads: usize,
    ports: Vec<u16>,
}

impl Serve {
    pub fn run(self) -> Result<()> {
        ensure!(self.threads > 0, "no thread, no server");
        let ports = &self.ports;
        thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads).map(|_| scope.spawn(|| serve(ports))).collect();
            for thread in threads {
                thread.join().map_err(|_| anyhow!("a server panicked"))??;
            }
            Ok(())
        })
    }
}

fn serve(ports: &[u16]) -> Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let tasks: Vec<_> =
            ports.iter().map(|port| Ok(tokio::spawn(accept(listen(*port)?)))).collect::<Result<_>>()?;
        for task in tasks {
            task.await??;
        }
        Ok(())
    })
}

fn listen(port: u16) -> Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    socket.listen(BACKLOG.cast_signed())?;
    Ok(TcpListener::from_std(socket.into())?)
}

async fn accept(listener: TcpListener) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        // The load sees what goes wrong with its connection.
        tokio::spawn(async move { drop(connection(stream).await) });
    }
}

async fn connection(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match stream.read_u8().await? {
        DOWNLOAD => {
            let chunk = vec![b'x'; CHUNK];
            loop {
                stream.write_all(&chunk).await?;
            }
        }
        UPLOAD => {
            let mut chunk = vec![0; CHUNK];
            while stream.read(&mut chunk).await? > 0 {}
            Ok(())
        }
        _ => {
            let mut buffer = [0; 1024];
            loop {
                let count = stream.read(&mut buffer).await?;
                if count == 0 {
                    return Ok(());
                }
                stream.write_all(buffer.get(..count).unwrap_or_default()).await?;
            }
        }
    }
}

//! Streams of which every byte is checked.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::time::timeout;

/// Without a byte for so long, a stream counts as stuck.
const STUCK: Duration = Duration::from_secs(20);

/// A stream of pseudo-random bytes that depends on the seed alone (splitmix64), however it is cut.
#[derive(Clone, Debug)]
pub struct Pattern {
    state: u64,
    word: [u8; 8],
    used: usize,
    position: u64,
}

impl Pattern {
    /// The stream's beginning.
    pub fn new(seed: u64) -> Self {
        Self { state: seed, word: [0; 8], used: 8, position: 0 }
    }

    /// The next bytes.
    pub fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = self.next_byte();
        }
    }

    /// Position in the stream of the first byte that differs from the next ones, if one does.
    pub fn mismatch(&mut self, bytes: &[u8]) -> Option<u64> {
        bytes.iter().find(|byte| **byte != self.next_byte()).map(|_| self.position - 1)
    }

    /// A number from 1 to `most`; takes its own part of the stream.
    fn up_to(&mut self, most: usize) -> usize {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        let most = most.max(1) as u64;
        usize::try_from(u64::from_le_bytes(bytes) % most).unwrap_or(0) + 1
    }

    fn next_byte(&mut self) -> u8 {
        if self.used == self.word.len() {
            self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            self.word = (z ^ (z >> 31)).to_le_bytes();
            self.used = 0;
        }
        let byte = self.word.get(self.used).copied().unwrap_or_default();
        self.used += 1;
        self.position += 1;
        byte
    }
}

/// What one checked stream sends.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Different seeds, different bytes: a byte of another connection is a mismatch.
    pub seed: u64,
    /// In each direction.
    pub bytes: u64,
    /// Writes and reads are of 1 to so many bytes, at random.
    pub largest_chunk: usize,
}

/// Sends the planned bytes and ends its half, while it checks that exactly they come back, and then the end.
///
/// # Errors
/// No connection; a wrong, missing or additional byte, with its position; nothing for 20 s.
pub async fn echo(address: SocketAddr, plan: Plan) -> Result<u64> {
    let mut stream = connect(address).await?;
    stream_echo(&mut stream, plan).await
}

/// As [`echo`], over a connection that is there; it is of no use afterwards.
///
/// # Errors
/// As [`echo`].
pub async fn stream_echo(stream: &mut TcpStream, plan: Plan) -> Result<u64> {
    let (read, write) = stream.split();
    let ((), count) = tokio::try_join!(send(write, plan), check(read, plan))?;
    Ok(count)
}

/// A connection that asks and checks answers, as long as it is wanted.
#[derive(Debug)]
pub struct Dialogue {
    stream: TcpStream,
    sent: Pattern,
    expected: Pattern,
    bytes: u64,
}

impl Dialogue {
    /// Connects to an echoing server.
    ///
    /// # Errors
    /// No connection within 20 s.
    pub async fn open(address: SocketAddr, seed: u64) -> Result<Self> {
        let stream = connect(address).await?;
        Ok(Self { stream, sent: Pattern::new(seed), expected: Pattern::new(seed), bytes: 0 })
    }

    /// Reads the line that [`Behaviour::Name`](crate::backend::Behaviour::Name) sends first.
    ///
    /// # Errors
    /// The end, or nothing for 20 s.
    pub async fn name(&mut self) -> Result<String> {
        let mut name = Vec::new();
        loop {
            let byte = in_time("the server's name", self.stream.read_u8()).await?;
            if byte == b'\n' {
                return String::from_utf8(name).context("a name is text");
            }
            name.push(byte);
        }
    }

    /// Sends the next `count` bytes and waits until they have come back.
    ///
    /// # Errors
    /// A wrong byte, the end, or nothing for 20 s.
    pub async fn exchange(&mut self, count: usize) -> Result<()> {
        let mut buffer = vec![0; count];
        self.sent.fill(&mut buffer);
        in_time("a request to leave", self.stream.write_all(&buffer)).await?;
        in_time("an answer", self.stream.read_exact(&mut buffer)).await?;
        if let Some(position) = self.expected.mismatch(&buffer) {
            bail!("byte {position} is wrong");
        }
        self.bytes += count as u64;
        Ok(())
    }

    /// Ends its half, waits for the other end, and returns how many bytes came back in all.
    ///
    /// # Errors
    /// More bytes, or nothing for 20 s.
    pub async fn finish(mut self) -> Result<u64> {
        in_time("the end to leave", self.stream.shutdown()).await?;
        let more = in_time("the end", self.stream.read(&mut [0; 16])).await?;
        ensure!(more == 0, "{more} bytes too many");
        Ok(self.bytes)
    }

    /// The connection itself.
    pub fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = in_time("a connection", TcpStream::connect(address)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn send(mut write: WriteHalf<'_>, plan: Plan) -> Result<()> {
    let mut pattern = Pattern::new(plan.seed);
    let mut sizes = Pattern::new(!plan.seed);
    let mut buffer = vec![0; plan.largest_chunk.max(1)];
    let mut left = plan.bytes;
    while left > 0 {
        let size = sizes.up_to(buffer.len()).min(usize::try_from(left).unwrap_or(usize::MAX));
        let chunk = buffer.get_mut(..size).unwrap_or_default();
        pattern.fill(chunk);
        in_time("bytes to leave", write.write_all(chunk)).await?;
        left -= size as u64;
    }
    in_time("the end to leave", write.shutdown()).await
}

async fn check(mut read: ReadHalf<'_>, plan: Plan) -> Result<u64> {
    let mut pattern = Pattern::new(plan.seed);
    let mut sizes = Pattern::new(plan.seed.rotate_left(32));
    let mut buffer = vec![0; plan.largest_chunk.max(1)];
    let mut count = 0;
    loop {
        let size = sizes.up_to(buffer.len());
        let chunk = buffer.get_mut(..size).unwrap_or_default();
        let got = in_time("bytes to come back", read.read(chunk)).await?;
        if got == 0 {
            ensure!(count == plan.bytes, "the end came after {count} bytes of {}", plan.bytes);
            return Ok(count);
        }
        if let Some(position) = pattern.mismatch(chunk.get(..got).unwrap_or_default()) {
            bail!("byte {position} is wrong");
        }
        count += got as u64;
        ensure!(count <= plan.bytes, "{count} bytes came back of {} sent", plan.bytes);
    }
}

async fn in_time<T>(what: &str, work: impl Future<Output = std::io::Result<T>>) -> Result<T> {
    match timeout(STUCK, work).await {
        Ok(result) => result.with_context(|| format!("while waiting for {what}")),
        Err(_) => bail!("waited {STUCK:?} in vain for {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Backend, Behaviour};

    #[test]
    fn a_pattern_does_not_depend_on_the_cuts() {
        let mut whole = [0; 100];
        Pattern::new(7).fill(&mut whole);
        let mut cut = Pattern::new(7);
        for chunk in whole.chunks(7) {
            assert_eq!(cut.mismatch(chunk), None);
        }
        let mut other = [0; 100];
        Pattern::new(8).fill(&mut other);
        assert_ne!(whole, other);
    }

    #[test]
    fn a_mismatch_has_its_position() {
        let mut bytes = [0; 100];
        Pattern::new(7).fill(&mut bytes);
        bytes[42] ^= 1;
        let mut pattern = Pattern::new(7);
        assert_eq!(pattern.mismatch(&bytes[..40]), None);
        assert_eq!(pattern.mismatch(&bytes[40..]), Some(42));
    }

    #[tokio::test]
    async fn an_echo_passes() {
        let backend = Backend::start(Behaviour::Echo).unwrap();
        let plan = Plan { seed: 1, bytes: 3_000_000, largest_chunk: 50_000 };
        assert_eq!(echo(backend.address(), plan).await.unwrap(), plan.bytes);
        assert_eq!(backend.received(), plan.bytes);
    }

    #[tokio::test]
    async fn wrong_bytes_are_seen() {
        let backend = Backend::start(Behaviour::Name("intruder".to_owned())).unwrap();
        let plan = Plan { seed: 1, bytes: 1000, largest_chunk: 100 };
        let error = echo(backend.address(), plan).await.unwrap_err();
        assert!(error.to_string().contains("is wrong"), "{error:#}");
    }

    #[tokio::test]
    async fn an_early_end_is_seen() {
        let backend = Backend::start(Behaviour::Sink).unwrap();
        let plan = Plan { seed: 1, bytes: 1000, largest_chunk: 100 };
        let error = echo(backend.address(), plan).await.unwrap_err();
        assert_eq!(error.to_string(), "the end came after 0 bytes of 1000");
    }

    #[tokio::test]
    async fn a_dialogue_goes_on_until_it_is_finished() {
        let backend = Backend::start(Behaviour::Name("b".to_owned())).unwrap();
        let mut dialogue = Dialogue::open(backend.address(), 3).await.unwrap();
        assert_eq!(dialogue.name().await.unwrap(), "b");
        for count in [1, 64, 100_000] {
            dialogue.exchange(count).await.unwrap();
        }
        assert_eq!(dialogue.finish().await.unwrap(), 100_065);
    }
}

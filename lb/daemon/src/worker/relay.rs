//! Moves bytes between two streams.
//!
//! An idle connection holds no buffer: bytes are read into the worker's one scratch buffer and written on at once.
//! Only what the other side does not take is kept, and nothing more is read until it is gone: that is the
//! back-pressure, in each direction by itself.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::end::EndReason;

/// The worker's buffer: as much as one read takes.
#[derive(Debug)]
pub struct Scratch(RefCell<Box<[u8]>>);

impl Scratch {
    /// Half of a common L2 cache, so that bytes are still in it when they are written.
    const SIZE: usize = 128 * 1024;

    pub fn new() -> Self {
        Self(RefCell::new(vec![0; Self::SIZE].into_boxed_slice()))
    }
}

/// What the rest of the worker sees of a running relay.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Bytes passed on from client to server.
    pub received: Cell<u64>,
    /// Bytes passed on from server to client.
    pub sent: Cell<u64>,
    /// Set at each byte, taken by whoever looks for idle connections.
    pub active: Cell<bool>,
    /// Set once the connection has lived for a while, taken by the relay.
    settled: Cell<bool>,
    ending: Cell<Option<EndReason>>,
    waker: RefCell<Option<Waker>>,
}

impl Traffic {
    /// Ends the relay from outside; the first reason stays.
    pub fn end(&self, reason: EndReason) {
        if self.ending.get().is_none() {
            self.ending.set(Some(reason));
        }
        self.wake();
    }

    /// Tells the relay that the connection is no short one.
    pub fn settle(&self) {
        self.settled.set(true);
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    pub fn ending(&self) -> Option<EndReason> {
        self.ending.get()
    }
}

/// Both directions of one connection, until it ends.
#[derive(Debug)]
pub struct Relay<'a, C, S, F> {
    client: &'a mut C,
    server: &'a mut S,
    up: Pipe,
    down: Pipe,
    first: Option<EndReason>,
    traffic: &'a Traffic,
    scratch: &'a Scratch,
    when_settled: F,
}

impl<'a, C, S, F: Fn(&S)> Relay<'a, C, S, F> {
    /// `header` goes to the server before anything else and is not counted; `early` is what the client has sent
    /// already. `when_settled` is called once, if the connection lives long enough.
    pub fn new(
        client: &'a mut C,
        server: &'a mut S,
        header: Vec<u8>,
        early: &[u8],
        traffic: &'a Traffic,
        scratch: &'a Scratch,
        when_settled: F,
    ) -> Self {
        let uncounted = header.len();
        let mut pending = header;
        pending.extend_from_slice(early);
        let up = Pipe { pending, uncounted, ..Pipe::default() };
        Self { client, server, up, down: Pipe::default(), first: None, traffic, scratch, when_settled }
    }
}

impl<C, S, F> Relay<'_, C, S, F> {
    /// Whether it has read bytes that it did not pass on.
    pub fn holds_bytes(&self) -> bool {
        [&self.up, &self.down].iter().any(|pipe| pipe.written < pipe.pending.len())
    }
}

impl<C, S, F> Future for Relay<'_, C, S, F>
where
    C: AsyncRead + AsyncWrite + Unpin,
    S: AsyncRead + AsyncWrite + Unpin,
    F: Fn(&S) + Unpin,
{
    type Output = EndReason;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<EndReason> {
        let Self { client, server, up, down, first, traffic, scratch, when_settled } = self.get_mut();
        if let Some(reason) = traffic.ending() {
            return Poll::Ready(reason);
        }
        if traffic.settled.take() {
            when_settled(server);
        }
        let scratch = &mut scratch.0.borrow_mut()[..];
        let count = |counter: &Cell<u64>, bytes: usize| {
            counter.set(counter.get() + bytes as u64);
            traffic.active.set(true);
        };
        let last = down.state == State::Over;
        let up_end = up.poll(cx, client, server, scratch, last, |bytes| count(&traffic.received, bytes));
        down.learn(&up_end);
        let last = up.state == State::Over;
        let down_end = down.poll(cx, server, client, scratch, last, |bytes| count(&traffic.sent, bytes));
        up.learn(&down_end);
        for (end, from, to) in [(up_end, &CLIENT, &SERVER), (down_end, &SERVER, &CLIENT)] {
            match end {
                Poll::Pending | Poll::Ready(End::Earlier) => {}
                Poll::Ready(End::Closed) => {
                    first.get_or_insert(from.closed);
                }
                Poll::Ready(End::WriteFailed(kind)) => {
                    // what the failed side sent before is still read and passed on; a broken pipe alone may
                    // follow a proper end, which reading will tell
                    if kind != io::ErrorKind::BrokenPipe {
                        first.get_or_insert(to.failed(kind));
                    }
                }
                Poll::Ready(End::ReadFailed(kind)) => {
                    return Poll::Ready(*first.get_or_insert(from.failed(kind)));
                }
            }
        }
        if let (State::Over, State::Over, Some(reason)) = (up.state, down.state, *first) {
            return Poll::Ready(reason);
        }
        let mut waker = traffic.waker.borrow_mut();
        if waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

/// The reason codes of one side.
struct Side {
    closed: EndReason,
    reset: EndReason,
    timeout: EndReason,
}

const CLIENT: Side = Side {
    closed: EndReason::ClientClosed,
    reset: EndReason::ClientReset,
    timeout: EndReason::ClientTimeout,
};
const SERVER: Side = Side {
    closed: EndReason::ServerClosed,
    reset: EndReason::ServerReset,
    timeout: EndReason::ServerTimeout,
};

impl Side {
    fn failed(&self, kind: io::ErrorKind) -> EndReason {
        if kind == io::ErrorKind::TimedOut { self.timeout } else { self.reset }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    /// The reader has seen the end; what is pending is still to be written, then the end is passed on.
    Ending,
    Over,
}

/// How a direction came to its end.
enum End {
    /// Both sides properly.
    Closed,
    ReadFailed(io::ErrorKind),
    WriteFailed(io::ErrorKind),
    /// It was over already.
    Earlier,
}

/// So many reads in one go.
const ROUNDS: usize = 8;

/// One direction.
#[derive(Debug, Default)]
struct Pipe {
    state: State,
    /// What the writer did not take yet, from `written` on.
    pending: Vec<u8>,
    written: usize,
    /// So many of the next bytes are our own.
    uncounted: usize,
    /// Writing to the reader's side has failed with this. The kernel tells an error once: reading shows an end
    /// then, which is no proper one.
    failed: Option<io::ErrorKind>,
}

impl Pipe {
    /// What became of the other direction just now.
    fn learn(&mut self, other: &Poll<End>) {
        if let Poll::Ready(End::WriteFailed(kind)) = other
            && *kind != io::ErrorKind::BrokenPipe
        {
            self.failed = Some(*kind);
        }
    }

    /// With `last`, the other direction is over, and closing the socket will pass the end on.
    fn poll<A, B>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut A,
        to: &mut B,
        scratch: &mut [u8],
        last: bool,
        mut count: impl FnMut(usize),
    ) -> Poll<End>
    where
        A: AsyncRead + Unpin,
        B: AsyncWrite + Unpin,
    {
        if self.state == State::Over {
            return Poll::Ready(End::Earlier);
        }
        let end = ready!(self.poll_open(cx, from, to, scratch, last, &mut count));
        self.state = State::Over;
        self.pending = Vec::new();
        Poll::Ready(end)
    }

    fn poll_open<A, B>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut A,
        to: &mut B,
        scratch: &mut [u8],
        last: bool,
        count: &mut impl FnMut(usize),
    ) -> Poll<End>
    where
        A: AsyncRead + Unpin,
        B: AsyncWrite + Unpin,
    {
        for _ in 0..ROUNDS {
            while self.written < self.pending.len() {
                match ready!(Pin::new(&mut *to).poll_write(cx, &self.pending[self.written..])) {
                    Ok(0) => return Poll::Ready(End::WriteFailed(io::ErrorKind::WriteZero)),
                    Ok(bytes) => {
                        self.written += bytes;
                        self.note(bytes, count);
                    }
                    Err(error) => return Poll::Ready(End::WriteFailed(error.kind())),
                }
            }
            if self.written > 0 {
                (self.pending, self.written) = (Vec::new(), 0);
            }
            if self.state == State::Ending {
                if last {
                    return Poll::Ready(End::Closed);
                }
                // if it fails, the other direction's read will say so
                let _ = ready!(Pin::new(&mut *to).poll_shutdown(cx));
                return Poll::Ready(End::Closed);
            }
            let mut buffer = ReadBuf::new(scratch);
            match ready!(Pin::new(&mut *from).poll_read(cx, &mut buffer)) {
                Ok(()) if buffer.filled().is_empty() => {
                    if let Some(kind) = self.failed {
                        return Poll::Ready(End::ReadFailed(kind));
                    }
                    self.state = State::Ending;
                    continue;
                }
                Ok(()) => {}
                Err(error) => return Poll::Ready(End::ReadFailed(error.kind())),
            }
            let read = buffer.filled();
            match Pin::new(&mut *to).poll_write(cx, read) {
                Poll::Ready(Ok(bytes)) => {
                    self.note(bytes, count);
                    self.pending.extend_from_slice(&read[bytes..]);
                }
                Poll::Ready(Err(error)) => return Poll::Ready(End::WriteFailed(error.kind())),
                Poll::Pending => self.pending.extend_from_slice(read),
            }
        }
        // the other direction and the other connections have their turn
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn note(&mut self, bytes: usize, count: &mut impl FnMut(usize)) {
        let own = bytes.min(self.uncounted);
        self.uncounted -= own;
        count(bytes - own);
    }
}

#[cfg(test)]
#[path = "relay/tests.rs"]
mod tests;

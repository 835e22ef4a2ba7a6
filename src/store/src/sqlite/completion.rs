//! A completion of the writer that somebody waits for.

use tokio::sync::oneshot;

use crate::StoreError;

pub(crate) type Completion<T> = oneshot::Receiver<Result<T, StoreError>>;

pub(crate) fn completion<T: Send + 'static>() -> (impl FnOnce(Result<T, StoreError>) + Send, Completion<T>) {
    let (done, written) = oneshot::channel();
    // Nobody may wait any more; it is written all the same.
    (move |result| drop(done.send(result)), written)
}

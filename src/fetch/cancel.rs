//! Cancellation: one flag that ends every wait at once.
//!
//! Invariant: once cancelled, always cancelled; a dropped handle never cancels.

use tokio::sync::watch;

/// The side that cancels.
#[derive(Debug)]
pub struct CancelHandle(watch::Sender<bool>);

/// The side that waits; cheap to clone.
#[derive(Debug, Clone)]
pub struct Cancel(watch::Receiver<bool>);

impl CancelHandle {
    /// A handle that is not cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// A flag that follows this handle.
    #[must_use]
    pub fn flag(&self) -> Cancel {
        Cancel(self.0.subscribe())
    }

    /// Cancels for good.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }
}

impl Default for CancelHandle {
    fn default() -> Self {
        Self::new()
    }
}

impl Cancel {
    /// A flag that nobody can raise.
    #[must_use]
    pub fn never() -> Self {
        CancelHandle::new().flag()
    }

    /// Whether it was raised.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once it is raised; waits for ever if it never is.
    pub async fn cancelled(&self) {
        let mut flag = self.0.clone();
        if flag.wait_for(|raised| *raised).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

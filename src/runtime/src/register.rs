//! How metric families are registered.

use prometheus::core::Collector;
use prometheus::{
    Counter, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry,
};

/// Makes families and makes them known.
#[derive(Clone, Copy, Debug)]
pub struct Register<'a> {
    pub registry: &'a Registry,
    /// The first word of every name.
    pub namespace: &'static str,
}

impl Register<'_> {
    /// # Errors
    /// When a family of this name is registered already.
    pub fn counters(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntCounterVec> {
        self.family(IntCounterVec::new(self.opts(name, help), labels)?)
    }

    /// # Errors
    /// When a family of this name is registered already.
    pub fn counter(&self, name: &str, help: &str) -> prometheus::Result<IntCounter> {
        self.family(IntCounter::with_opts(self.opts(name, help))?)
    }

    /// A counter of seconds.
    ///
    /// # Errors
    /// When a family of this name is registered already.
    pub fn seconds(&self, name: &str, help: &str) -> prometheus::Result<Counter> {
        self.family(Counter::with_opts(self.opts(name, help))?)
    }

    /// # Errors
    /// When a family of this name is registered already.
    pub fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<GaugeVec> {
        self.family(GaugeVec::new(self.opts(name, help), labels)?)
    }

    /// # Errors
    /// When a family of this name is registered already.
    pub fn int_gauges(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntGaugeVec> {
        self.family(IntGaugeVec::new(self.opts(name, help), labels)?)
    }

    /// # Errors
    /// When a family of this name is registered already.
    pub fn histogram(&self, name: &str, help: &str, buckets: Vec<f64>) -> prometheus::Result<Histogram> {
        let opts = HistogramOpts { common_opts: self.opts(name, help), buckets };
        self.family(Histogram::with_opts(opts)?)
    }

    /// # Errors
    /// When a family of this name is registered already.
    pub fn int_gauge(&self, name: &str, help: &str) -> prometheus::Result<IntGauge> {
        self.family(IntGauge::with_opts(self.opts(name, help))?)
    }

    /// # Errors
    /// When a family of this name is registered already.
    pub fn histograms(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
        buckets: Vec<f64>,
    ) -> prometheus::Result<HistogramVec> {
        let opts = HistogramOpts { common_opts: self.opts(name, help), buckets };
        self.family(HistogramVec::new(opts, labels)?)
    }

    fn family<C: Collector + Clone + 'static>(&self, family: C) -> prometheus::Result<C> {
        self.registry.register(Box::new(family.clone()))?;
        Ok(family)
    }

    fn opts(&self, name: &str, help: &str) -> Opts {
        Opts::new(name, help).namespace(self.namespace)
    }
}

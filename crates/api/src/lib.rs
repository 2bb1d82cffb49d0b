//! HTTP: status, health, gateway notifications, metrics.

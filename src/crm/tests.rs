//! Every case under `testdata/crm`: exports in, everything that was pulled out.

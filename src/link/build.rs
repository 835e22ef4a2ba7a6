//! Compiles the protocol, without `protoc`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto/link.proto");
    let files = protox::compile(["proto/link.proto"], ["proto"])?;
    tonic_prost_build::configure().skip_debug(["Submission"]).compile_fds(files)?;
    Ok(())
}

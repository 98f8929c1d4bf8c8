// swift-tools-version:5.9
import PackageDescription

// What `bindings/uniffi/swift/generate` puts beside this file: the Swift that UniFFI writes, the C that it
// calls, and the library.
let package = Package(
    name: "Prebind",
    products: [.library(name: "Prebind", targets: ["Prebind"])],
    targets: [
        .systemLibrary(name: "prebind_uniffiFFI", path: "target/prebind_uniffiFFI"),
        .target(
            name: "Prebind",
            dependencies: ["prebind_uniffiFFI"],
            path: "target/Prebind",
            linkerSettings: [.linkedLibrary("prebind_uniffi"), .unsafeFlags(["-Ltarget"])]
        ),
        .executableTarget(name: "Login", dependencies: ["Prebind"], path: "Login"),
    ]
)

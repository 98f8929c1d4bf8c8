import Foundation
import Prebind

// Logs in as PREBIND_JID with PREBIND_PASSWORD at PREBIND_URL, and prints what a browser takes over.
let environment = ProcessInfo.processInfo.environment
guard let url = environment["PREBIND_URL"], let jid = environment["PREBIND_JID"],
    let password = environment["PREBIND_PASSWORD"]
else {
    fatalError("PREBIND_URL, PREBIND_JID and PREBIND_PASSWORD are needed")
}

do {
    // Once per process. It keeps connections; threads may share it.
    let client = try Client(url: url, options: ["deadline": .decimal(3)])
    let session = try client.prebind(jid: jid, credentials: ["password": .text(password)])
    print(session.toJson())
    try client.terminate(session: session)
} catch PrebindError.Auth(let details) {
    print("refused:", details.message)
    exit(10)
}

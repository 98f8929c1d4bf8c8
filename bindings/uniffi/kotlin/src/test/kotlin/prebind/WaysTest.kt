package prebind

import com.sun.net.httpserver.HttpExchange
import com.sun.net.httpserver.HttpServer
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory
import tools.jackson.databind.JsonNode
import java.net.InetSocketAddress
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.time.Duration
import java.util.concurrent.Executors
import kotlin.io.path.readText

/** The ways by which a site's users log in without a chat password: tests/vectors/ways.json. */
class WaysTest {
    @TestFactory
    fun `users log in and reach each other`(): List<DynamicTest> =
        FILE["ways"].values().map { way ->
            dynamicTest(way["name"].asString()) { Users(way, servers[way["server"].asString()]).talk() }
        }

    /** The users of one way. */
    private class Users(
        private val way: JsonNode,
        private val server: JsonNode,
    ) {
        private val client =
            Client(server["http_url"].asString()) {
                wait = 1
                deadline = Duration.ofSeconds(60)
                requestTimeout = Duration.ofSeconds(60)
                accounts =
                    way["options"]?.let { given ->
                        val (jid, password, url) = administrator(given["accounts"])
                        Accounts(jid, password, url)
                    }
            }

        fun talk() {
            List(2) { login("alice") }.forEach(client::terminate)
            // Most servers make the account at the first login.
            client.terminate(login("carol"))
            val bob = page("bob")
            bob.ask(message(jid("carol"), "good morning"))
            assertFalse("service-unavailable" in bob.heard, bob.heard)
            val tabs = mutableListOf(page("carol"))
            tabs.single().hear(Regex("good morning"))

            tabs += page("carol")
            val request = "<presence xmlns='jabber:client' to='${jid("carol")}' type='subscribe'/>"
            // A server delivers in order: if the request has not come before the message, it never comes.
            bob.ask(request + tabs.joinToString("") { message(it.jid, "after it") })
            for (tab in tabs) {
                tab.hear(Regex("after it"))
                assertTrue(Regex("type=.subscribe.") in tab.heard, tab.heard)
            }
            for (page in tabs + bob) client.terminate(page.sid, page.rid)
        }

        private fun jid(user: String) = "$user@${way["host"].asString()}"

        /** Fresh ones for each login. */
        private fun credentials(user: String): Credentials {
            val (kind, given) = way["credentials"].properties().single()
            if (kind == "x_oauth2_issuer") {
                val (jid, password, url) = administrator(given)
                return Credentials.xOauth2Issuer(url, jid, password)
            }
            val jwt = jwt(given.asString())
            return when (kind) {
                "jwt" -> Credentials.jwt(jwt)
                "oauthbearer" -> Credentials.oauthbearer(jwt.issue(jid(user)))
                else -> error("$kind is new")
            }
        }

        private fun login(user: String): Session {
            val session = client.prebind(jid(user), credentials(user))
            assertEquals(jid(user), session.jid.substringBefore('/'))
            assertEquals(way["mechanism"].asString(), session.mechanism)
            return session
        }

        private fun page(user: String) =
            Page(URI(server["http_url"].asString()), login(user)).also {
                it.ask("<presence xmlns='jabber:client'/>")
            }

        private fun administrator(given: JsonNode) =
            listOf("jid", "password", "url").map {
                given[it].asString().replace("@API@", server["api_url"].asString())
            }
    }

    /** The page that took a session over. */
    private class Page(
        private val url: URI,
        session: Session,
    ) {
        val jid = session.jid
        val sid = session.sid
        var rid = session.rid
            private set
        var heard = ""
            private set

        /** Sends, and listens until the server answers a question of its own. */
        fun ask(stanzas: String) {
            val id = "after-$rid"
            val roster = "<query xmlns='jabber:iq:roster'/>"
            send("$stanzas<iq xmlns='jabber:client' type='get' id='$id'>$roster</iq>")
            hear(Regex("id=.$id."))
        }

        /** Listens until the server has said something that matches. */
        fun hear(pattern: Regex) {
            repeat(60) {
                if (pattern in heard) return
                send("")
            }
            error("$pattern is not in $heard")
        }

        private fun send(stanzas: String) {
            val attributes = "xmlns='http://jabber.org/protocol/httpbind' sid='$sid' rid='$rid'"
            val body = HttpRequest.BodyPublishers.ofString("<body $attributes>$stanzas</body>")
            rid++
            val request = HttpRequest.newBuilder(url).header("Content-Type", "text/xml").POST(body)
            heard += HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString()).body()
        }
    }

    private companion object {
        const val SECRET = "chat-server-to-site"
        val USERS = setOf("alice", "bob", "carol")
        val FILE: JsonNode = JSON.readTree(ROOT.resolve("tests/vectors/ways.json").readText())
        val HTTP: HttpClient = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()

        val site: HttpServer = HttpServer.create(InetSocketAddress("127.0.0.1", 0), 0)
        val threads = Executors.newFixedThreadPool(4)
        lateinit var process: Process
        lateinit var servers: JsonNode

        @JvmStatic
        @BeforeAll
        fun start() {
            val login = ChatLogin(listOf(SECRET), jwt("once"))
            site.createContext("/chat-login") { answer(it, login) }
            site.executor = threads
            site.start()
            val url = "http://127.0.0.1:${site.address.port}/chat-login"
            val command = ProcessBuilder("servers", "ways", "--no-limits", "--json", "--site", url)
            command.environment()["PREBIND_SITE_SECRET"] = SECRET
            process = command.redirectError(ProcessBuilder.Redirect.INHERIT).start()
            servers = JSON.readTree(process.inputReader().readLine())
        }

        @JvmStatic
        @AfterAll
        fun end() {
            process.outputStream.close()
            process.waitFor()
            site.stop(0)
            threads.shutdown()
        }

        fun answer(
            exchange: HttpExchange,
            login: ChatLogin,
        ) = exchange.use {
            val question =
                ChatLogin.Question(
                    exchange.requestMethod,
                    exchange.requestURI.path,
                    exchange.requestURI.rawQuery,
                    exchange.remoteAddress.address.hostAddress,
                    exchange.requestBody.readNBytes(ChatLogin.Question.MAX_BODY),
                    exchange.requestHeaders::getFirst,
                )
            val answer = login.answer(question, { user, _ -> user in USERS }) { _, _ -> }
            answer.headers.forEach(exchange.responseHeaders::set)
            val body = answer.body.toByteArray()
            exchange.sendResponseHeaders(answer.status, body.size.toLong())
            exchange.responseBody.write(body)
        }

        fun message(
            to: String,
            text: String,
        ) = "<message xmlns='jabber:client' to='$to' type='chat'><body>$text</body></message>"

        @Suppress("UNCHECKED_CAST")
        fun jwt(name: String): Jwt {
            val given = FILE["jwts"][name]
            val claims = given["claims"]?.let { JSON.convertValue(it, Map::class.java) }
            return Jwt(
                listOf(given["keys"].asString()),
                audience = given["audience"]?.asString(),
                claims = claims as Map<String, Any?>?,
                once = given["once"]?.asBoolean(),
            )
        }
    }
}

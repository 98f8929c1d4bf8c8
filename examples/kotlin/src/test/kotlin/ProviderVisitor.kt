package site

import tools.jackson.databind.json.JsonMapper
import tools.jackson.module.kotlin.readValue
import java.net.CookieManager
import java.net.URI
import java.net.URLEncoder
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse
import java.net.http.HttpResponse.BodyHandlers

/** What the endpoint answered. */
data class Answer(
    val status: Int,
    val body: Map<String, Any>,
)

/** A browser, as far as the site and the identity provider see it. */
class ProviderVisitor(
    private val site: String,
) {
    private val http =
        HttpClient
            .newBuilder()
            .cookieHandler(CookieManager())
            .followRedirects(HttpClient.Redirect.ALWAYS)
            .build()

    /** Follows every redirect, and fills in the provider's forms. Returns the site's page. */
    fun signIn(
        name: String,
        registration: String = "example",
    ): String {
        var page = get("$site/oauth2/authorization/$registration")
        while ("/interaction/" in page.uri().path) {
            val form =
                mapOf(
                    "prompt" to found("name=\"prompt\" value=\"(\\w+)\"", page),
                    "login" to name,
                    "password" to "any",
                )
            page = post(found("action=\"([^\"]+)\"", page), form)
        }
        check("Hello, $name" in page.body()) { "${page.uri()}: ${page.body()}" }
        return page.body()
    }

    /** Asks for a session as a page of the site does. */
    fun ask(): Answer {
        val answer = get("$site/prebind", "Sec-Fetch-Site" to "same-origin")
        return Answer(answer.statusCode(), JsonMapper().readValue(answer.body()))
    }

    private fun found(
        pattern: String,
        page: HttpResponse<String>,
    ) = Regex(pattern).find(page.body())!!.groupValues[1]

    private fun get(
        address: String,
        vararg headers: Pair<String, String>,
    ): HttpResponse<String> {
        val request = HttpRequest.newBuilder(URI(address))
        for ((name, value) in headers) request.header(name, value)
        return http.send(request.build(), BodyHandlers.ofString())
    }

    private fun post(
        address: String,
        form: Map<String, String>,
    ): HttpResponse<String> {
        val fields = form.map { (name, value) -> "$name=${URLEncoder.encode(value, Charsets.UTF_8)}" }
        val request =
            HttpRequest
                .newBuilder(URI(address))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(BodyPublishers.ofString(fields.joinToString("&")))
        return http.send(request.build(), BodyHandlers.ofString())
    }
}

package site

import jakarta.servlet.http.HttpServletRequest
import jakarta.servlet.http.HttpServletResponse
import org.slf4j.LoggerFactory
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty
import org.springframework.core.env.Environment
import org.springframework.web.bind.annotation.RequestMapping
import org.springframework.web.bind.annotation.RestController
import prebind.ChatLogin

/**
 * Where the chat server asks who may log in with a token of this site's, and who exists. `SITE_SECRET` is what the chat
 * server shows. A site of several processes gives [ChatLogin] a cache that they share.
 */
@RestController
@ConditionalOnProperty("SITE_SECRET")
class ChatLoginEndpoint(
    private val people: People,
    environment: Environment,
) {
    private val log = LoggerFactory.getLogger(javaClass)
    private val login =
        ChatLogin(
            listOf(environment.getRequiredProperty("SITE_SECRET")),
            people.jwt ?: throw SettingsException("SITE_SECRET needs a SITE_KEY"),
        )

    @RequestMapping("/chat-login", "/chat-login/*")
    fun answer(
        request: HttpServletRequest,
        response: HttpServletResponse,
    ) {
        val answer =
            login.answer(request.question(), { user, _ -> user in people.names }) { line, isWarning ->
                if (isWarning) log.warn(line) else log.info(line)
            }
        response.status = answer.status
        answer.headers.forEach(response::setHeader)
        response.outputStream.write(answer.body.toByteArray())
    }

    /** The request as the library takes it, with the address that Spring believes. */
    private fun HttpServletRequest.question() =
        ChatLogin.Question(
            method,
            requestURI,
            queryString,
            remoteAddr,
            inputStream.readNBytes(ChatLogin.Question.MAX_BODY),
            ::getHeader,
        )
}

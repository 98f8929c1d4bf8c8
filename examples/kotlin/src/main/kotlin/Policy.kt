package site

import jakarta.servlet.FilterChain
import jakarta.servlet.http.HttpServletRequest
import jakarta.servlet.http.HttpServletResponse
import org.springframework.security.crypto.keygen.KeyGenerators
import org.springframework.stereotype.Component
import org.springframework.web.filter.OncePerRequestFilter
import java.net.URI
import java.util.Base64

/**
 * The strictest Content-Security-Policy that Converse.js works under, in the corner of a page.
 *
 * The scripts of a page have a nonce, which is the request's attribute [NONCE].
 */
@Component
class Policy(
    people: People,
) : OncePerRequestFilter() {
    private val chat = URI(people.boshUrl).run { "$scheme://$rawAuthority" }
    private val random = KeyGenerators.secureRandom(16)

    override fun doFilterInternal(
        request: HttpServletRequest,
        response: HttpServletResponse,
        chain: FilterChain,
    ) {
        val nonce = Base64.getEncoder().encodeToString(random.generateKey())
        request.setAttribute(NONCE, nonce)
        response.setHeader("Content-Security-Policy", policy(nonce).joinToString("; "))
        chain.doFilter(request, response)
    }

    private fun policy(nonce: String) =
        listOf(
            "default-src 'none'",
            // WebAssembly is for OMEMO, which encrypts from end to end.
            "script-src 'nonce-$nonce' 'wasm-unsafe-eval'",
            "connect-src 'self' $chat",
            // Converse.js positions its windows with style attributes.
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self'",
            "media-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )

    companion object {
        const val NONCE = "nonce"
    }
}

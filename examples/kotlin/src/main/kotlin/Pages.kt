package site

import org.springframework.beans.factory.ObjectProvider
import org.springframework.stereotype.Controller
import org.springframework.web.bind.annotation.GetMapping
import org.springframework.web.bind.annotation.ModelAttribute
import org.springframework.web.bind.annotation.RequestAttribute
import java.security.Principal

/** The site's pages. Each has the chat at its end. */
@Controller
class Pages(
    private val converse: Converse,
    private val provider: ObjectProvider<Provider>,
) {
    @GetMapping("/")
    fun home() = "home"

    @GetMapping("/login")
    fun login() = "login"

    @ModelAttribute("name")
    fun name(user: Principal?): String? = user?.name

    @ModelAttribute("provider")
    fun isByProvider(): Boolean = provider.any()

    @ModelAttribute("chat")
    fun chat(
        user: Principal?,
        @RequestAttribute(Policy.NONCE) nonce: String,
    ): String = converse.html(user, nonce)
}

package site

import org.springframework.boot.autoconfigure.SpringBootApplication
import org.springframework.boot.runApplication

/** A site whose users are in the chat as the page loads. Its classes are final, hence no proxies. */
@SpringBootApplication(proxyBeanMethods = false)
class Site

fun main(arguments: Array<String>) {
    runApplication<Site>(*arguments)
}

package site

import org.springframework.beans.factory.ObjectProvider
import org.springframework.context.annotation.Bean
import org.springframework.context.annotation.Configuration
import org.springframework.security.config.annotation.web.builders.HttpSecurity
import org.springframework.security.config.annotation.web.invoke
import org.springframework.security.core.userdetails.User
import org.springframework.security.core.userdetails.UserDetailsService
import org.springframework.security.crypto.factory.PasswordEncoderFactories
import org.springframework.security.crypto.password.PasswordEncoder
import org.springframework.security.provisioning.InMemoryUserDetailsManager
import org.springframework.security.web.SecurityFilterChain
import org.springframework.security.web.authentication.logout.HeaderWriterLogoutHandler
import org.springframework.security.web.header.writers.ClearSiteDataHeaderWriter
import org.springframework.security.web.header.writers.ClearSiteDataHeaderWriter.Directive.STORAGE

/** Signing in and out, and who may see what. */
@Configuration(proxyBeanMethods = false)
class Security {
    @Bean
    fun chain(
        http: HttpSecurity,
        provider: ObjectProvider<Provider>,
    ): SecurityFilterChain {
        http {
            authorizeHttpRequests {
                // It answers strangers itself, with JSON, where a page would lead to the login.
                authorize("/prebind/**", permitAll)
                // The chat server shows a secret.
                authorize("/chat-login/**", permitAll)
                authorize("/converse/**", permitAll)
                authorize("/login", permitAll)
                authorize("/error", permitAll)
                authorize(anyRequest, authenticated)
            }
            // The rules of the library protect GET and POST alike.
            csrf { ignoringRequestMatchers("/prebind", "/chat-login/**") }
            formLogin {
                loginPage = "/login"
                defaultSuccessUrl("/", alwaysUse = true)
            }
            if (provider.any()) {
                oauth2Login {
                    loginPage = "/login"
                    defaultSuccessUrl("/", alwaysUse = true)
                }
            }
            logout {
                logoutSuccessUrl = "/login"
                // The page's script clears the chat away; over https the browser does in any case.
                addLogoutHandler(HeaderWriterLogoutHandler(ClearSiteDataHeaderWriter(STORAGE)))
            }
        }
        return http.build()
    }

    @Bean
    fun passwordEncoder(): PasswordEncoder = PasswordEncoderFactories.createDelegatingPasswordEncoder()

    @Bean
    fun users(
        people: People,
        encoder: PasswordEncoder,
    ): UserDetailsService =
        InMemoryUserDetailsManager(
            people.names.map { name ->
                User
                    .withUsername(name)
                    .password(encoder.encode(people[name].password))
                    .build()
            },
        )
}

import type { Browser, FrameLocator, Page, Request } from 'playwright-core'

/** Chromium's own words about a policy name neither the policy nor what it stopped. */
const TELL_OF_VIOLATIONS = `document.addEventListener('securitypolicyviolation', (violation) => {
  console.error('Policy violated: ' + violation.violatedDirective + ' by ' + violation.blockedURI)
})`

/** A merchant at a browser with an empty profile. */
export class Merchant {
  readonly page: Page
  /** Where the merchant has been led, redirects included: `top` for the window, `app` for the frame in the admin. */
  readonly way: string[] = []
  /** What the browser complains of in its console, and every answer that is an error. */
  readonly complaints: string[] = []

  private constructor(page: Page) {
    this.page = page
    page.on('request', (request) => {
      if (request.isNavigationRequest()) this.way.push(`${this.#window(request)} ${addressOf(request.url())}`)
    })
    page.on('console', (message) => {
      if (message.type() !== 'error') return
      // Chromium names the status of a failed request without saying which; the response says more.
      if (!message.text().startsWith('Failed to load resource')) this.complaints.push(message.text())
    })
    page.on('pageerror', (error) => this.complaints.push(String(error)))
    page.on('response', (response) => {
      const { url, method } = { url: response.url(), method: response.request().method() }
      if (response.status() >= 400) this.complaints.push(`${String(response.status())} ${method} ${addressOf(url)}`)
    })
    page.on('requestfailed', (request) => {
      const reason = request.failure()?.errorText ?? ''
      // A page that is left while it loads.
      if (reason !== 'net::ERR_ABORTED') this.complaints.push(`${reason} ${addressOf(request.url())}`)
    })
  }

  static async at(browser: Browser): Promise<Merchant> {
    const context = await browser.newContext({ viewport: { width: 1100, height: 620 } })
    context.setDefaultTimeout(20_000)
    await context.addInitScript({ content: TELL_OF_VIOLATIONS })
    return new Merchant(await context.newPage())
  }

  /** Leaves the browser with nothing remembered. */
  async leaves(): Promise<void> {
    await this.page.context().close()
  }

  /** The app in the admin. */
  get app(): FrameLocator {
    return this.page.frameLocator('iframe')
  }

  /** Forgets the way so far. */
  startsAfresh(): void {
    this.way.length = 0
  }

  /** What the browser has complained of so far, forgotten with this call. */
  takeComplaints(): string[] {
    return this.complaints.splice(0)
  }

  async opens(url: string): Promise<void> {
    await this.page.goto(url)
  }

  /** Presses a button of the page in the window. */
  async presses(name: string): Promise<void> {
    await this.page.getByRole('button', { name, exact: true }).click()
  }

  /** Presses a button of the app in the admin. */
  async pressesInApp(name: string): Promise<void> {
    await this.app.getByRole('button', { name, exact: true }).click()
  }

  /** Reloads the app's frame and nothing around it. */
  async reloadsApp(): Promise<void> {
    const frame = this.page.frame('app-iframe')
    await frame?.evaluate('location.reload()')
  }

  /** Resolves when the page in the window says this. */
  async isTold(text: string): Promise<void> {
    await this.page.getByText(text).waitFor()
  }

  /** Resolves when the app shows an answer that contains `text`. */
  async sees(text: string): Promise<void> {
    await this.app.locator('output', { hasText: text }).waitFor()
  }

  /** Resolves when the app shows the page with this heading. */
  async seesPage(heading: string): Promise<void> {
    await this.app.getByRole('heading', { name: heading, exact: true }).waitFor()
  }

  #window(request: Request): 'top' | 'app' {
    return request.frame() === this.page.mainFrame() ? 'top' : 'app'
  }
}

function addressOf(url: string): string {
  const { host, pathname } = new URL(url)
  return host + pathname
}

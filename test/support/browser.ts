/** A real browser for tests of the web view: Debian's chromium, driven by playwright-core. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import type { Background } from './background.ts'
import { which } from './needs.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export interface Size {
  readonly width: number
  readonly scheme: 'light' | 'dark'
}

/** A desk and a telephone, one in each scheme. */
export const sizes: readonly Size[] = [
  { width: 1280, scheme: 'light' },
  { width: 400, scheme: 'dark' },
]

export function openBrowser(): Promise<Browser> {
  // as root it has no sandbox of its own: what it loads is ours
  return chromium.launch({ executablePath: which('chromium')!, args: ['--no-sandbox', '--disable-gpu'] })
}

/** The address for the next login that `tscompose web` has printed. */
export function loginOf({ said }: Background): string {
  const found = [...said.matchAll(/http:\/\/\S+\/login\?token=\S+/g)].at(-1)?.[0]
  assert.ok(found, `no address was printed:\n${said}`)
  return found
}

export interface View {
  readonly context: BrowserContext
  readonly page: Page
  /** What went wrong in the page, or was refused by its policy. */
  readonly complaints: readonly string[]
  /** Shows a place of the view. */
  go(path: string): Promise<void>
}

/** Logs in with a browser of its own. */
export async function openView(browser: Browser, view: Background, { width, scheme }: Size): Promise<View> {
  const context = await browser.newContext({
    viewport: { width, height: 860 },
    colorScheme: scheme,
    acceptDownloads: true,
  })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  const complaints: string[] = []
  page.on('pageerror', error => complaints.push(error.message))
  page.on('console', message => {
    if (message.type() === 'error') complaints.push(`${new URL(page.url()).pathname}: ${message.text()}`)
  })
  await page.addInitScript(() =>
    document.addEventListener('securitypolicyviolation', ({ sourceFile, lineNumber, columnNumber, sample }) =>
      console.error(`refused by the policy: ${sourceFile}:${lineNumber}:${columnNumber} ${sample}`),
    ),
  )
  const login = loginOf(view)
  await page.goto(login)
  await page.waitForURL(url => url.pathname === '/')
  await page.getByRole('heading', { name: 'Stacks', level: 1 }).waitFor()
  const { origin } = new URL(login)
  const go = async (path: string): Promise<void> => {
    try {
      await page.goto(`${origin}${path}`)
    } catch (error) {
      // an interface of another engine on this machine came or went
      if (!String(error).includes('ERR_NETWORK_CHANGED')) throw error
      await page.goto(`${origin}${path}`)
    }
  }
  return { context, page, complaints, go }
}

/** What axe-core finds wrong by WCAG 2.2 A and AA, a line each. */
export async function violations(page: Page): Promise<readonly string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe)
  return await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: {
        run(
          root: unknown,
          options: object,
        ): Promise<{ violations: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[] }>
      }
    }
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
    // of what is in order it would find selectors for every element
    const options = { runOnly: tags, resultTypes: ['violations'] }
    const { violations } = await axe.run({ exclude: [['.xterm']] }, options)
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(each => `${id}: ${each.html.slice(0, 160)} ${each.failureSummary}`),
    )
  })
}

/** The web view in a real browser, on a stack that runs: each of its sides, at a desk and on a telephone. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { pathOf, tabs } from '../../src/web/pages/route.ts'
import type { Background } from '../support/background.ts'
import { loginOf, openBrowser, openView, sizes, type View, violations } from '../support/browser.ts'
import { jsonLines, type Stack, TestEngine } from '../support/engine.ts'
import { lacking, program, root } from '../support/needs.ts'

/** What it prints would run, hide or turn things in a page or a terminal that believed it. */
const hostile = [
  '<img src=x onerror="window.pwned=1"><script>window.pwned=2</script>',
  '\\033[8mhidden\\033[0m \\033[30;40mdark\\033[0m',
  'shown\\rEVIL\\010\\010',
  '\\033]8;;javascript:window.pwned=3\\007click\\033]8;;\\007',
  '\\342\\200\\256drawkcab',
].join('\\n')

const yaml = (theme: string): string => `services:
  web:
    image: busybox
    stop_signal: SIGKILL
    environment: { THEME: ${theme}, API_TOKEN: geheim }
    command: [sh, -c, 'i=0; while true; do i=$$((i+1)); echo "level=info msg=request n=$$i"; sleep 0.2; done']
    ports: ['127.0.0.1::80']
    depends_on:
      db: { condition: service_healthy }
  db:
    image: busybox
    stop_signal: SIGKILL
    command: [sh, -c, 'echo ready; sleep 1000']
    mem_limit: 64m
    cpus: 0.5
    healthcheck: { test: ['CMD', 'true'], interval: 1s }
    volumes: ['data:/data']
  worker:
    image: busybox
    command: [sh, -c, 'echo "level=error msg=no-mail"; exit 3']
  hostile:
    image: busybox
    stop_signal: SIGKILL
    command: [sh, -c, 'printf "${hostile.replaceAll('"', '\\"')}\\n"; sleep 1000']
volumes: { data: {} }
`

describe('the web view', { skip: lacking(root(), program('busybox'), program('nft'), program('chromium')) }, () => {
  let engine: TestEngine
  let stack: Stack
  let server: Background
  let browser: Browser
  let desk: View
  let phone: View

  before(async () => {
    engine = await TestEngine.start()
    stack = engine.stack(yaml('dark'), 'shop')
    await stack.run('up', '-d')
    server = stack.begin('web', '--port', '0')
    await server.says(/login\?token=/)
    browser = await openBrowser()
    desk = await openView(browser, server, sizes[0]!)
    await server.says(/The next login/)
    phone = await openView(browser, server, sizes[1]!)
  })
  after(async () => {
    await browser?.close()
    await server?.end()
    await engine?.stop()
  })

  test('shows each stack with its states, and first what is wrong, with cause and last lines', async () => {
    const { page } = desk
    await page.getByText('Ended with 3').waitFor()
    const card = page.locator('.trouble', { hasText: 'worker' })
    assert.match(await card.innerText(), /level=error msg=no-mail/)
    assert.match(await page.locator('.stack-row').innerText(), /shop[\s\S]*1 failed, 3 running/)
    const trouble = await page.locator('#attention').boundingBox()
    const list = await page.locator('#stacks').boundingBox()
    assert.ok(trouble!.y < list!.y)
  })

  test('is live: a page shows within 200 ms what an event has told', async () => {
    const { page } = desk
    const waits: number[] = []
    // at its best, whatever else this machine does
    for (let round = 0; round < 6 && !waits.some(wait => wait < 200); round++) {
      const [verb, text] = round % 2 === 0 ? (['pause', 'paused'] as const) : (['unpause', '3 running'] as const)
      const watch = await page.evaluateHandle(wanted => {
        const box = document.querySelector<HTMLElement>('.stack-services')!
        const { promise, resolve } = Promise.withResolvers<number>()
        new MutationObserver((_, observer) => {
          if (!box.innerText.includes(wanted)) return
          observer.disconnect()
          resolve(Date.now())
        }).observe(box, { subtree: true, childList: true, characterData: true })
        return { seen: promise }
      }, text)
      await stack.run(verb, 'db')
      const at = await watch.evaluate(({ seen }) => seen)
      const events = jsonLines(await stack.run('events', '--json', '--since', '20s', '--until', '0s'))
      waits.push(at - Date.parse(String(events.findLast(each => each['action'] === verb)!['time'])))
    }
    assert.ok(
      waits.some(wait => wait < 200),
      `${waits} ms`,
    )
    await stack.try('unpause', 'db')
  })

  test('is usable by the keyboard alone', async () => {
    const { page } = desk
    await desk.go('/')
    await page.locator('.stack-row').waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'shop', level: 1 }).waitFor()
    await page.keyboard.press('2')
    await page.getByRole('log').waitFor()
    await page.keyboard.press('/')
    assert.equal(await page.evaluate(() => (document.activeElement as HTMLElement).dataset['filter']), 'true')
    await page.keyboard.press('Escape')
    await page.keyboard.press('?')
    await page.getByRole('dialog').getByText('To the next stack').waitFor({ state: 'detached' })
    await page.getByRole('dialog').getByText('Show these keys').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  })

  test('filters and searches logs on the server, and gives them as a file', async () => {
    const { page } = desk
    await desk.go('/s/shop/logs')
    await page.locator('.log-line', { hasText: 'msg=request' }).first().waitFor()
    await page.getByLabel('Level').selectOption('error')
    await page.locator('.log-line', { hasText: 'no-mail' }).first().waitFor()
    await page.locator('.log-line', { hasText: 'msg=request' }).first().waitFor({ state: 'detached' })
    await desk.go('/s/shop/logs?grep=n%3D%5B12%5D%24&live=no')
    await page.getByText(/^2 lines$/).waitFor()
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Download' }).click()
    const text = readFileSync(await (await download).path(), 'utf8')
    assert.deepEqual(
      text
        .trim()
        .split('\n')
        .map(line => line.replace(/^\S+ /, '')),
      ['shop-web-1 level=info msg=request n=1', 'shop-web-1 level=info msg=request n=2'],
    )
  })

  test('runs nothing of what a container prints, and hides nothing of it', async () => {
    for (const { page, go } of [desk, phone]) {
      await go('/s/shop/logs?services=hostile')
      await page.locator('.log-line', { hasText: 'drawkcab' }).waitFor()
      const shown = await page.locator('.log-all').innerText()
      for (const text of [
        '<img src=x onerror="window.pwned=1"><script>',
        'hidden',
        'dark',
        'shown␍EVIL␈␈',
        '␛]8;;javascript:window.pwned=3␇click',
        '‹U+202E›drawkcab',
      ])
        assert.ok(shown.includes(text), `${text} in ${shown}`)
      assert.equal(await page.evaluate(() => (globalThis as { pwned?: number }).pwned), undefined)
      assert.equal(await page.locator('.log-all img, .log-all script, .log-text a').count(), 0)
    }
  })

  test('shows use against limits', async () => {
    const { page } = desk
    await desk.go('/s/shop/stats')
    const card = page.locator('.usage', { hasText: 'shop-db-1' })
    await card.getByText('of 64.0 MiB').waitFor()
    assert.match(await card.innerText(), /Processor\s+[\d.]+ % of 50 %/)
    await card.locator('canvas').first().waitFor()
  })

  test('opens a terminal, which has the size of its place', async () => {
    const { page } = desk
    await desk.go('/s/shop/terminal?container=shop-db-1')
    await page.locator('.xterm-rows').getByText('/ #').first().waitFor()
    await page.keyboard.type('echo $((6*7)) $(stty size)\n')
    await page
      .locator('.xterm-rows')
      .getByText(/^42 \d\d \d{2,3}$/)
      .first()
      .waitFor()
  })

  test('applies exactly the plan that it shows, and refuses one that would be another by now', async () => {
    const { page } = desk
    stack.write(yaml('light'))
    await desk.go('/s/shop/plan')
    await page.locator('.change', { hasText: 'environment.THEME' }).waitFor()
    assert.match(await page.locator('.fields').innerText(), /environment\.THEME\s+dark\s+light/)
    assert.doesNotMatch(await page.locator('main').innerText(), /geheim/)
    stack.write(yaml('blue'))
    await page.getByRole('button', { name: 'Apply exactly this' }).click()
    await page
      .locator('.job.bad')
      .getByText('Its files, or what runs', { exact: false })
      .or(page.locator('.job-error'))
      .first()
      .waitFor()
    assert.match(await stack.run('exec', '-T', 'web', 'sh', '-c', 'echo $THEME'), /^dark$/m)
    await page.getByRole('button', { name: 'Compare again' }).click()
    await page.locator('.fields ins', { hasText: 'blue' }).waitFor()
    await page.getByRole('button', { name: 'Apply exactly this' }).click()
    await page.locator('.job.good').waitFor({ timeout: 30_000 })
    assert.match(await stack.run('exec', '-T', 'web', 'sh', '-c', 'echo $THEME'), /^blue$/m)
  })

  test('shows what a container has printed that is no more', async () => {
    const { page } = desk
    await desk.go('/s/shop/logs?services=web&grep=n%3D1%24&live=no')
    // of the one that the apply has replaced, and of the one that took its place
    await page.getByText(/^2 lines$/).waitFor()
  })

  test('compares an apply with the one before, and goes back', async () => {
    const { page } = desk
    await desk.go('/s/shop/history')
    await page.getByRole('link', { name: 'Changes of apply 2' }).click()
    await page.locator('.apply-more').getByText('environment.THEME dark → blue').waitFor()
    await page.locator('.comparison .cm-changedLine, .comparison .cm-insertedLine').first().waitFor()
    await page.getByRole('link', { name: 'Go back… to apply 1' }).click()
    await page.locator('.fields ins', { hasText: 'dark' }).waitFor()
    await page.getByRole('button', { name: 'Apply exactly this' }).click()
    await page.locator('.job.good').waitFor({ timeout: 30_000 })
    assert.match(await stack.run('exec', '-T', 'web', 'sh', '-c', 'echo $THEME'), /^dark$/m)
  })

  test('stops and starts a service', async () => {
    const { page } = desk
    await desk.go('/s/shop')
    await page.getByRole('button', { name: 'Stop db', exact: true }).click()
    await page.locator('.job.good').waitFor()
    await page.getByRole('button', { name: 'Start db', exact: true }).click()
    await page.locator('.service', { hasText: 'shop-db-1' }).getByText('running').first().waitFor()
    await stack.run('up', '-d')
  })

  test('draws who waits for whom, what happened, and who may reach what', async () => {
    const { page } = desk
    await desk.go('/s/shop/graph')
    await page.locator('svg .graph-title', { hasText: 'web' }).waitFor()
    assert.ok((await page.locator('svg .graph-condition').allTextContents()).includes('healthy'))
    await page.locator('.waits').getByText('db is healthy').waitFor()
    await desk.go('/s/shop/timeline')
    await page.locator('.event').getByText('rollback 1 by', { exact: false }).first().waitFor()
    await page.locator('.event.is-bad', { hasText: 'ended with 3' }).first().waitFor()
    await desk.go('/s/shop/access')
    await page.getByRole('row', { name: /127\.0\.0\.1:\d+ web 80\/tcp this machine/ }).waitFor()
    await page.locator('.finding', { hasText: 'API_TOKEN' }).waitFor()
  })

  test('saves a snapshot that opens without a server, and in the view', async () => {
    const { page } = desk
    await desk.go('/')
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Save a snapshot' }).click()
    const path = await (await download).path()
    const context = await browser.newContext({ javaScriptEnabled: false })
    const other = await context.newPage()
    await other.setContent(readFileSync(path, 'utf8'))
    assert.match(await other.locator('main').innerText(), /shop[\s\S]*worker/)
    await context.close()
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'x.html', mimeType: 'text/html', buffer: readFileSync(path) })
    await page.getByRole('heading', { name: 'Stacks as they were' }).waitFor()
    await page.getByRole('button', { name: 'Back to the stacks' }).click()
  })

  for (const [at, { width, scheme }] of sizes.entries())
    test(`has nothing that axe finds wrong, and nothing wider than the screen, at ${width} px, ${scheme}`, async () => {
      const { page, go } = at === 0 ? desk : phone
      const check = async (what: string) => {
        await page.locator('main h1').first().waitFor()
        await page.locator('.waiting').waitFor({ state: 'detached' })
        assert.deepEqual(await violations(page), [], what)
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
        assert.ok(wider <= 0, `${what} is ${wider} px too wide`)
      }
      await go('/')
      await check('home')
      await page.locator('.stack-row a.stack-link').click()
      // by the links of the view, which load neither it nor axe anew
      for (const tab of tabs) {
        const link = `nav.tabs a[href="${pathOf('shop', tab)}"]`
        await page.locator(link).click()
        await page.locator(`${link}[aria-current=page]`).waitFor()
        await check(tab)
      }
    })

  test('shows a page of another origin nothing, and lets it do nothing', async () => {
    const { origin } = new URL(loginOf(server))
    const { page } = desk
    const foreign = await desk.context.newPage()
    await foreign.route('http://evil.example/', route =>
      route.fulfill({ contentType: 'text/html', body: '<h1>evil</h1>' }),
    )
    await foreign.goto('http://evil.example/')
    const got = await foreign.evaluate(async to => {
      const tried = async (work: () => Promise<unknown>) => work().then(String, () => 'refused')
      const socket = (path: string) =>
        new Promise((resolve, reject) => {
          const made = new WebSocket(to.replace('http', 'ws') + path)
          made.onopen = () => resolve('open')
          made.onerror = reject
        })
      return [
        await tried(() => fetch(`${to}/api/about`, { credentials: 'include' }).then(r => r.text())),
        await tried(() =>
          fetch(`${to}/api/stacks/shop/turn`, {
            method: 'POST',
            credentials: 'include',
            body: '{"verb":"down","services":[]}',
          }).then(r => r.text()),
        ),
        await tried(() => socket('/api/live')),
        await tried(() => socket('/api/shell?container=shop-db-1')),
      ]
    }, origin)
    assert.deepEqual(got, ['refused', 'refused', 'refused', 'refused'])
    await foreign.close()
    await desk.go('/')
    assert.match(await page.locator('.stack-row').innerText(), /running/)
  })

  test('complains of nothing in all of this', () => {
    // what is refused (401, 409), and styles that the browser's own editing would give to what is typed
    const expected = /Failed to load resource|^\/s\/shop\/files: (Applying inline style|refused by the policy: :0:0)/
    assert.deepEqual(
      [...desk.complaints, ...phone.complaints].filter(text => !expected.test(text)),
      [],
    )
  })
})

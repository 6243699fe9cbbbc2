/** The files of a stack in the web view: edited, compared with what runs, built. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser } from 'playwright-core'
import type { Background } from '../support/background.ts'
import { openBrowser, openView, sizes, type View } from '../support/browser.ts'
import { type Stack, TestEngine } from '../support/engine.ts'
import { lacking, program, root } from '../support/needs.ts'

const yaml = (theme: string): string => `services:
  db:
    image: busybox
    stop_signal: SIGKILL
    command: [sleep, '1000']
    environment: { THEME: ${theme} }
    healthcheck: { test: ['CMD', 'true'], interval: 1s }
  worker:
    image: busybox
    stop_signal: SIGKILL
    command: [sleep, '1000']
  built:
    stop_signal: SIGKILL
    build:
      context: .
      dockerfile_inline: |
        FROM busybox
        COPY note.txt /note.txt
        RUN cat /note.txt
    command: [sleep, '1000']
`

describe('the web view, of files', {
  skip: lacking(root(), program('busybox'), program('nft'), program('chromium')),
}, () => {
  let engine: TestEngine
  let stack: Stack
  let server: Background
  let browser: Browser
  let desk: View

  before(async () => {
    engine = await TestEngine.start()
    stack = engine.stack(yaml('dark'), 'shop')
    writeFileSync(join(stack.folder, 'note.txt'), 'first\n')
    await stack.run('up', '-d')
    server = stack.begin('web', '--port', '0')
    await server.says(/login\?token=/)
    browser = await openBrowser()
    desk = await openView(browser, server, sizes[0]!)
  })
  after(async () => {
    await browser?.close()
    await server?.end()
    await engine?.stop()
  })

  test('shows the errors of the loader while typing, completes, and saves', async () => {
    const { page } = desk
    await desk.go('/s/shop/files')
    const editor = page.getByRole('textbox', { name: /compose\.yaml/ })
    await editor.click()
    await page.getByText('The stack can be read').waitFor()
    await page.keyboard.press('Control+End')
    await page.keyboard.type('netwroks: {}')
    await page.locator('.problems').getByText('Did you mean "networks"?', { exact: false }).first().waitFor()
    await page.keyboard.press('Control+Home')
    await page.keyboard.press('Control+End')
    await page.keyboard.press('Shift+Home')
    await page.keyboard.type('# a comment')
    await page.getByText('The stack can be read').waitFor()
    await page.keyboard.press('Control+s')
    await page.getByRole('button', { name: 'Save' }).and(page.locator(':disabled')).waitFor()
    assert.match(readFileSync(join(stack.folder, 'compose.yaml'), 'utf8'), /# a comment$/)
    await page.getByRole('link', { name: 'note.txt' }).click()
    await page
      .getByRole('textbox', { name: /note\.txt/ })
      .getByText('first')
      .waitFor()
  })

  test('completes and explains in the editor, goes to where a name is given, and keeps what is not saved', async () => {
    const { page } = desk
    await desk.go('/s/shop/files')
    const editor = page.getByRole('textbox', { name: /compose\.yaml/ })
    await editor.click()
    await page.getByText('The stack can be read').waitFor()
    await page.keyboard.press('Control+Home')
    await page.keyboard.press('End')
    await page.keyboard.type('\n  other:\n  image: busybox\ndepends_on:\n  - ')
    await page.locator('.cm-tooltip-autocomplete').getByText('worker', { exact: true }).waitFor()
    await page.keyboard.type('work')
    await page.keyboard.press('Enter')
    await page.getByText('- worker', { exact: false }).first().waitFor()
    await page.locator('.cm-line', { hasText: 'healthcheck:' }).getByText('healthcheck').hover()
    await page.locator('.hover-text').getByText('services.db.healthcheck').waitFor()
    await page.mouse.move(0, 0)
    await page.locator('.cm-line', { hasText: '- worker' }).getByText('worker').click()
    await page.keyboard.press('F12')
    await page.waitForURL(/line=\d+/)
    await page.locator('.cm-activeLine', { hasText: 'worker:' }).first().waitFor()
    await page.getByRole('link', { name: 'note.txt' }).click()
    await page.getByRole('textbox', { name: /note\.txt/ }).waitFor()
    await page.goBack()
    await page.getByText('- worker', { exact: false }).first().waitFor()
    await page.getByRole('button', { name: 'Revert' }).click()
    await page.getByRole('button', { name: 'Revert' }).waitFor({ state: 'detached' })
    assert.doesNotMatch(await editor.innerText(), /- worker/)
  })

  test('tells in the list how far a stack is from its files', async () => {
    const { page } = desk
    await desk.go('/')
    await page.locator('.stack-row').waitFor()
    const before = readFileSync(join(stack.folder, 'compose.yaml'), 'utf8')
    stack.write(yaml('light'))
    await page.locator('.stack-row').getByText('1 change').waitFor()
    stack.write('services: {web: {imge: x}}\n')
    await page.locator('.stack-row').getByText('files have errors').waitFor()
    stack.write(before)
    await page.locator('.stack-row').getByText('files have errors').waitFor({ state: 'detached' })
  })

  test('tells of a build why each step was not cached, as it happens and whoever builds', async () => {
    const { page } = desk
    await stack.run('build')
    await desk.go('/s/shop/builds')
    await page.locator('.build').first().getByText('built', { exact: true }).waitFor()
    const before = await page.locator('.build').count()
    writeFileSync(join(stack.folder, 'note.txt'), 'second\n')
    // by the command line, while the page is open
    await stack.run('build')
    await page.locator('.build').nth(before).waitFor()
    writeFileSync(join(stack.folder, 'note.txt'), 'third\n')
    await desk.go('/s/shop/plan?build=yes&services=built')
    await page.getByRole('button', { name: 'Apply exactly this' }).click()
    await page.locator('.job.good').waitFor({ timeout: 30_000 })
    await desk.go('/s/shop/builds')
    await page
      .locator('.build')
      .nth(before + 1)
      .waitFor()
    const build = page.locator('.build').first()
    await build.getByText('note.txt changed', { exact: false }).first().waitFor()
    assert.match(await build.innerText(), /FROM/)
    // those before are folded, and tell as much
    const second = page.locator('.build').nth(1)
    await second.locator('summary').click()
    await second.getByText('note.txt changed', { exact: false }).first().waitFor()
  })
})

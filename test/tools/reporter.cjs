/**
 * Mocha reporter of `npm test`: one line a file or describe block that failed, dots else, and the counts as JSON in
 * the file that `COPPICE_TEST_COUNTS` names, so that the runner can add them up.
 */
const { writeFileSync } = require('node:fs');
const Mocha = require('mocha');

const Base = Mocha.reporters.Base;
const { EVENT_RUN_END, EVENT_SUITE_BEGIN, EVENT_SUITE_END, EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING } =
  Mocha.Runner.constants;

module.exports = class CountingReporter extends Base {
  constructor(runner, options) {
    super(runner, options);
    let depth = 0;
    let tally = { passed: 0, failed: 0, startedAt: 0 };
    const total = { passed: 0, failed: 0, pending: 0 };
    runner.on(EVENT_SUITE_BEGIN, (suite) => {
      if (suite.root) return;
      depth += 1;
      if (depth === 1) tally = { passed: 0, failed: 0, startedAt: Date.now() };
    });
    runner.on(EVENT_SUITE_END, (suite) => {
      if (suite.root) return;
      depth -= 1;
      if (depth > 0) return;
      const failed = tally.failed > 0 ? `, ${tally.failed} FAILED` : '';
      console.log(`  ${suite.title}: ${tally.passed} passed${failed} (${Date.now() - tally.startedAt} ms)`);
    });
    runner.on(EVENT_TEST_PASS, () => {
      tally.passed += 1;
      total.passed += 1;
    });
    runner.on(EVENT_TEST_PENDING, (test) => {
      total.pending += 1;
      console.log(`  not run: ${test.fullTitle()}`);
    });
    runner.on(EVENT_TEST_FAIL, (test) => {
      tally.failed += 1;
      total.failed += 1;
      console.log(`  FAILED: ${test.fullTitle()}`);
    });
    runner.once(EVENT_RUN_END, () => {
      if (total.failed > 0) Base.list(this.failures);
      const file = process.env.COPPICE_TEST_COUNTS;
      if (file) writeFileSync(file, JSON.stringify(total));
    });
  }
};

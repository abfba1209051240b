import { describe } from 'node:test';
import { frontSuite } from './suite.js';

describe('the front in the process', () => {
  frontSuite('in the process');
});

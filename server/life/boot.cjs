/* The first lines of the supervisor's program. Its compiled code is kept beside it, as that is a third of what a start
 * costs (measured: 35 of 105 ms); the cache must be in force before the program itself is loaded. Where the folder
 * cannot be written there is none. */
'use strict';

var path = require('path');
require('module').enableCompileCache(path.join(__dirname, '.compile-cache'));
require('./supervisorMain.cjs');

@echo off
rem Checks this machine, then runs the demo.
setlocal EnableExtensions DisableDelayedExpansion
chcp 65001 >nul
set "PAUSE=%SMARTRISK_NO_PAUSE%"
set "SMARTRISK_NO_PAUSE=1"
call "%~dp0start.cmd" check
set "STATUS=%ERRORLEVEL%"
if not defined PAUSE pause
exit /b %STATUS%

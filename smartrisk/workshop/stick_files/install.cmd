@echo off
rem Installs the class from this stick. Needs Python @PYTHON@; no network, no administrator.
setlocal EnableExtensions DisableDelayedExpansion
chcp 65001 >nul
set "PY="
call :try py -@PYTHON@
call :try "%LocalAppData%\Programs\Python\Python@DIGITS@\python.exe"
call :try "%ProgramFiles%\Python@DIGITS@\python.exe"
call :try python@PYTHON@
call :try python
call :try python3
if not defined PY goto none
call %PY% "%~dp0files\install.py" %*
set "STATUS=%ERRORLEVEL%"
goto end

:none
type "%~dp0files\no-python.txt"
set "STATUS=1"

:end
if defined SMARTRISK_NO_PAUSE exit /b %STATUS%
if "%STATUS%"=="0" start "" "%USERPROFILE%\smartrisk-class"
pause
exit /b %STATUS%

:try
if defined PY exit /b 0
call %* "%~dp0files\version.py" >nul 2>nul
if "%ERRORLEVEL%"=="0" set PY=%*
exit /b 0
